"""The statement's answers against literal lines: what each result makes of the bill, and what is not believed."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from backend.billing.ports import BillRowKind, GatewayUnknown
from backend.billing.ports.insurance import InsuredDocument, InsuredPerson
from backend.channels.insurance_bill import InsuranceBillSource

DAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
PERSON = InsuredPerson("310000000001", "310")


def document(number: str, message: str, **changes: Any) -> InsuredDocument:
    given: dict[str, Any] = {
        "number": number,
        "out_trade_no": "XL001",
        "is_refund": False,
        "is_settled": True,
        "person": PERSON,
        "visit_id": "M1",
        "settlement_id": "S1",
        "message_id": message,
        "total_fen": 4500,
        "fund_fen": 2275,
        "account_fen": 100,
        "happened_at": AT,
    }
    return InsuredDocument(**(given | changes))


SETTLED = document("XL001", "MSG1")
BACK = document("RF001", "MSG2", is_refund=True)
DOUBTFUL = document(
    "XL003", "MSG3", out_trade_no="XL003", is_settled=False, settlement_id="", visit_id="M3"
)
#: By hand: ours and its taking back, one in doubt that the centre has, and a stranger's.
LINES = (
    "310000000001\tM1\tS1\tMSG1\t0\t0\t相符\t45.00\t22.75\t1.00\r\n"
    "310000000001\tM1\tS1\tMSG2\t103\t1\t金额不一致\t-45.00\t-22.75\t0.00\r\n"
    "310000000001\tM3\tS3\tMSG3\t101\t0\t\t45.00\t22.75\t1.00\r\n"
    "390000000009\tM9\tS9\tMSG9\t101\t0\t\t100.00\t88.00\t0.00\r\n"
)


class Centre:
    """Answers by the book; ``result`` of 3201, ``lines`` of 9102; remembers what it was asked."""

    config = SimpleNamespace(fixmedins_code="H1", mdtrtarea_admvs="110101")

    def __init__(self, lines: str = LINES, result: Any = "1") -> None:
        self.lines, self.result = lines, result
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def ask(self, infno: str, content: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((infno, content))
        place = {"file_qury_no": "F1", "filename": "r.zip"}
        return {"3201": {"stmtinfo": {"stmt_rslt": self.result}}, "3202": {"fileinfo": place}}.get(
            infno, place
        )

    def fetch(self, _infno: str, _content: dict[str, Any]) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("result.txt", self.lines)
        return file.getvalue()


def rows(centre: Any) -> list[tuple[BillRowKind, str, int, str]]:
    source = InsuranceBillSource(centre, lambda _day: [SETTLED, BACK, DOUBTFUL])
    bill = source.fetch_bill(DAY)
    return [(row.kind, row.number, row.amount_fen, row.channel_number) for row in bill.rows]


def test_the_centres_lines_make_the_bill() -> None:
    centre = Centre()
    assert rows(centre) == [
        (BillRowKind.PAYMENT, "XL001", 2375, "S1"),
        (BillRowKind.PAYMENT, "XL003", 2375, "S3"),
        (BillRowKind.REFUND, "RF001", 2275, "S1"),
        (BillRowKind.PAYMENT, "S9", 8800, "S9"),
    ]
    totals = dict(centre.asked[0][1]["data"])
    assert [number for number, _content in centre.asked] == ["3201", "3201", "9101", "3202"]
    # The settlement and its taking back: nothing, in two pieces.
    assert (totals["insutype"], totals["fund_pay_sumamt"], totals["fixmedins_setl_cnt"]) == (
        *("310", "0.00"),
        "2",
    )
    sent = bytes(centre.asked[2][1]["fsUploadIn"]["in"])
    with zipfile.ZipFile(io.BytesIO(sent)) as archive:
        assert archive.read("detail.txt").decode() == (
            "310000000001\tM1\tS1\tMSG1\t\t0\t\t45.00\t22.75\t1.00\r\n"
            "310000000001\tM1\tS1\tMSG2\t\t1\t\t-45.00\t-22.75\t-1.00\r\n"
        )


def test_totals_that_agree_are_the_centres_word_for_our_lines() -> None:
    assert rows(Centre(result="0")) == [
        (BillRowKind.PAYMENT, "XL001", 2375, "S1"),
        (BillRowKind.REFUND, "RF001", 2375, "S1"),
    ]


def test_what_the_centre_does_not_know_is_on_no_bill() -> None:
    lines = LINES.replace("\t0\t0\t相符", "\t102\t0\t无此记录")
    assert "XL001" not in [number for _kind, number, *_rest in rows(Centre(lines))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MSG1\t0\t0", "MSG1\t7\t0"),
        ("MSG1\t0\t0", "MSG1\t0\t2"),
        ("MSG1\t0\t0", "MSG1\t101\t0"),
        ("\tS1\tMSG1", "\tS7\tMSG1"),
        ("-22.75", "22.75"),
        ("\t88.00", "\t-88.00"),
        ("\t88.00", "\t88,00"),
        ("\t88.00", ""),
        (LINES[: LINES.index("\r\n") + 2], ""),
        (LINES[: LINES.index("\r\n") + 2], LINES[: LINES.index("\r\n") + 2] * 2),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    assert old in LINES
    with pytest.raises(GatewayUnknown, match="statement"):
        rows(Centre(LINES.replace(old, new)))


@pytest.mark.parametrize("result", [None, "", "2", 0])
def test_totals_without_a_result(result: Any) -> None:
    with pytest.raises(GatewayUnknown, match="3201"):
        rows(Centre(result=result))


def test_a_file_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"", b"PK", Centre().fetch("", {})[:-30]):
        monkeypatch.setattr(Centre, "fetch", lambda *_given, data=data: data)
        with pytest.raises(GatewayUnknown, match="statement"):
            rows(Centre())


def test_it_is_expected_at_two() -> None:
    source = InsuranceBillSource(Centre(), lambda _day: [])  # type: ignore[arg-type]
    assert source.published_from(DAY) == datetime(2026, 11, 23, 18, tzinfo=UTC)
