/* Draws the heat map of booked places from the page's JSON; colours are the tokens'. Tooltips are rich text:
   the content policy allows no inline style. */
(() => {
  "use strict";
  const place = document.getElementById("heat");
  const data = JSON.parse(document.getElementById("heat-data").textContent);
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const row = 30;
  place.setAttribute("data-ready", "false");
  const chart = window.echarts.init(place, null, {
    renderer: "canvas",
    height: Math.max(220, data.rows.length * row + 150),
  });
  const ink = token("--xl-ink");
  chart.on("finished", () => place.setAttribute("data-ready", "true"));
  chart.setOption({
    animation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    aria: { enabled: false },
    textStyle: { fontFamily: token("--xl-font"), color: ink },
    grid: { left: 130, right: 24, top: 110, bottom: 44 },
    xAxis: {
      type: "category",
      position: "top",
      data: data.columns,
      axisLabel: { rotate: 60, interval: 0, fontSize: 12, color: ink },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: token("--xl-line-strong") } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: data.rows,
      axisLabel: { fontSize: 13, color: ink, width: 116, overflow: "truncate" },
      axisTick: { show: false },
      axisLine: { show: false },
    },
    visualMap: {
      min: 0,
      max: 100,
      dimension: 2,
      calculable: false,
      orient: "horizontal",
      left: 130,
      bottom: 4,
      text: ["100%", "0%"],
      textStyle: { color: ink },
      inRange: {
        color: [token("--xl-paper"), token("--xl-apricot-200"), token("--xl-apricot-400"), token("--xl-accent")],
      },
    },
    tooltip: {
      renderMode: "richText",
      formatter: ({ value }) =>
        `${data.rows[value[1]]}\n${data.columns[value[0]]}\n` +
        `${data.words.booked} ${value[3]} / ${data.words.of} ${value[4]} ${data.words.places}`,
    },
    series: [
      {
        type: "heatmap",
        data: data.cells.map((cell) => ({
          value: cell,
          label: { color: cell[2] >= 75 ? token("--xl-on-accent") : ink },
        })),
        itemStyle: { borderColor: token("--xl-line"), borderWidth: 1 },
        label: { show: true, fontSize: 11, formatter: ({ value }) => `${value[2]}` },
      },
    ],
  });
  window.addEventListener("resize", () => chart.resize());
})();
