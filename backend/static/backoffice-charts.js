/* Draws what [data-chart] says: trend (percent by day) or bars (counts by name, stacked). Colours come from the tokens. */
(() => {
  "use strict";

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const isStill = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  const common = (chart) => ({
    animation: !isStill(),
    color: ["--xl-accent", "--xl-info", "--xl-ok", "--xl-ink-soft"].map(token),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: token("--xl-ink") },
    legend: { top: 0, itemGap: 24 },
    grid: { left: 8, right: 24, top: 40, bottom: 8, containLabel: true },
    tooltip: { trigger: "axis", renderMode: "richText" },
    series: chart.series.map((one) => ({ name: one.name, data: one.values })),
  });

  const options = {
    trend: (chart) => {
      const base = common(chart);
      return {
        ...base,
        xAxis: { type: "category", data: chart.labels, boundaryGap: false },
        yAxis: { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value}%" } },
        series: base.series.map((one, place) => ({
          ...one,
          type: "line",
          connectNulls: true,
          symbol: place ? "rect" : "circle",
          symbolSize: 7,
          lineStyle: { width: 2, type: place ? "dashed" : "solid" },
        })),
      };
    },
    bars: (chart) => {
      const base = common(chart);
      return {
        ...base,
        xAxis: { type: "category", data: chart.labels, axisLabel: { interval: 0, rotate: 30 } },
        yAxis: { type: "value", minInterval: 1 },
        series: base.series.map((one) => ({ ...one, type: "bar", stack: "all", barMaxWidth: 36 })),
      };
    },
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const chart = JSON.parse(place.dataset.chart);
      const drawn = window.echarts.init(place, null, { renderer: "canvas" });
      drawn.setOption(options[chart.kind](chart));
      new ResizeObserver(() => drawn.resize()).observe(place);
    }
  });
})();
