"""The insurance centre's word on a day: 3201 compares the day's totals, 3202 its lines where the totals differ.

Billing's `BillSource`, though the centre publishes no bill: it answers what we claim. So the bill is made of
both: what we send and the centre agrees to, less what it does not know, plus what only it knows, with its
amounts where they differ. Totals go by kind of insurance; lines as a tab-separated text in a ZIP (9101 sends
it, 9102 fetches the answer of the same columns). What is simplified stands in docs/standards.md.

A line is known by its settlement and whether it takes that back; one that only the centre has is looked for by its
message among what we left in doubt, and keeps the centre's name otherwise. Nothing of a person is kept.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from backend.billing.ports import Bill, BillRow, BillRowKind, GatewayUnknown
from backend.billing.ports.insurance import InsuredDocument
from backend.channels.insurance import NationalInsurance
from backend.kernel.clock import SHANGHAI, business_date
from backend.kernel.money import from_yuan, to_yuan

#: The centre closes a day soon after midnight.
PUBLISHED_AT = dt.time(2, 0)
#: 310 employees, 390 residents: asked about even on a day on which we claimed nothing for them.
INSURANCE_KINDS = ("310", "390")
OUTPATIENT_CLEARING = "11"
COLUMNS = (
    *("psn_no", "mdtrt_id", "setl_id", "msgid", "stmt_rslt", "refd_setl_flag", "memo"),
    *("medfee_sumamt", "fund_pay_sumamt", "acct_pay"),
)
AGREES, CENTRE_ONLY, OURS_ONLY, DIFFERS = "0", "101", "102", "103"
LARGEST = 64 << 20
_Key = tuple[str, bool]


class InsuranceBillSource:
    """`BillSource` over one contract. ``read_ours`` gives our documents of a day and its neighbours."""

    channel = "insurance"

    def __init__(
        self,
        centre: NationalInsurance,
        read_ours: Callable[[dt.date], Sequence[InsuredDocument]],
    ) -> None:
        self._centre, self._read_ours = centre, read_ours

    def published_from(self, day: dt.date) -> dt.datetime:
        """Two on the next morning in China."""
        wall = dt.datetime.combine(day + dt.timedelta(days=1), PUBLISHED_AT, tzinfo=SHANGHAI)
        return wall.astimezone(dt.UTC)

    def fetch_bill(self, day: dt.date) -> Bill:
        """See the port; GatewayRefused with the centre's words while the day is not closed there."""
        known = self._read_ours(day)
        ours = [one for one in known if one.is_settled and business_date(one.happened_at) == day]
        kinds = sorted({*INSURANCE_KINDS, *(one.person.insutype for one in ours)})
        # Each is asked, so that the answer does not depend on which one differs first.
        agreed = [self._agrees(day, kind, ours) for kind in kinds]
        rows = [_row(one, one.insured_fen) for one in ours]
        if not all(agreed):
            rows = list(self._compare(day, ours, known))
        rows.sort(key=lambda row: (row.happened_at, row.kind, row.number))
        digest = hashlib.sha256()
        for row in rows:
            digest.update(
                f"{row.kind}|{row.number}|{row.channel_number}|{row.amount_fen}\n".encode()
            )
        return Bill(digest.hexdigest(), iter(rows))

    def _agrees(self, day: dt.date, kind: str, ours: Sequence[InsuredDocument]) -> bool:
        """3201: whether the centre has the same sums and as many settlements of that kind."""
        mine = [one for one in ours if one.person.insutype == kind]
        data = {"insutype": kind, **self._period(day), **_sums(mine)}
        said = self._centre.ask("3201", {"data": data}).get("stmtinfo")
        result = said.get("stmt_rslt") if isinstance(said, dict) else None
        if result not in ("0", "1"):
            raise GatewayUnknown("3201 without its result")
        return bool(result == "0")

    def _compare(
        self, day: dt.date, ours: Sequence[InsuredDocument], known: Sequence[InsuredDocument]
    ) -> Iterator[BillRow]:
        """9101, 3202, 9102: the centre's view of the day, line by line."""
        sent = self._centre.ask(
            "9101",
            {
                "fsUploadIn": {
                    "in": list(_packed(ours)),
                    "filename": "detail.txt.zip",
                    "fixmedins_code": self._centre.config.fixmedins_code,
                }
            },
        )
        data = {"file_qury_no": _text(sent, "file_qury_no"), **self._period(day), **_sums(ours)}
        info = self._centre.ask("3202", {"data": data}).get("fileinfo")
        place = {name: _text(info, name) for name in ("file_qury_no", "filename")}
        code = self._centre.config.fixmedins_code
        answer = self._centre.fetch("9102", {"fsDownloadIn": {**place, "fixmedins_code": code}})
        left = {_key(one): one for one in ours}
        by_message = {(one.message_id, one.is_refund): one for one in known}
        try:
            for line in _unpacked(answer):
                yield from _judged(line, day, left, by_message)
        except (ValueError, LookupError, csv.Error, zipfile.BadZipFile, zlib.error) as error:
            raise GatewayUnknown(f"unreadable statement: {type(error).__name__}") from error
        if left:
            raise GatewayUnknown("the statement leaves out lines of ours")

    def _period(self, day: dt.date) -> dict[str, str]:
        return {
            "clr_type": OUTPATIENT_CLEARING,
            "setl_optins": self._centre.config.mdtrtarea_admvs,
            "stmt_begndate": day.isoformat(),
            "stmt_enddate": day.isoformat(),
        }


def _judged(
    line: dict[str, str],
    day: dt.date,
    left: dict[_Key, InsuredDocument],
    by_message: dict[tuple[str, bool], InsuredDocument],
) -> Iterator[BillRow]:
    """What one line of the answer adds to the bill; takes ours out of ``left``."""
    is_refund, result = {"0": False, "1": True}[line["refd_setl_flag"]], line["stmt_rslt"]
    key = line["setl_id"], is_refund
    fen = _signed(line["fund_pay_sumamt"], is_refund) + _signed(line["acct_pay"], is_refund)
    if result == CENTRE_ONLY:
        if key in left or not line["setl_id"]:
            raise ValueError("the centre's alone, and ours")
        known = by_message.get((line["msgid"], is_refund))
        if known is not None:
            yield _row(known, fen, line["setl_id"])
            return
        kind = BillRowKind.REFUND if is_refund else BillRowKind.PAYMENT
        # The statement names no time.
        at = dt.datetime.combine(day, dt.time(12), tzinfo=SHANGHAI).astimezone(dt.UTC)
        number = line["setl_id"]
        yield BillRow(kind, number, number, fen, number, at)
        return
    mine = left.pop(key)
    if result == AGREES:
        yield _row(mine, mine.insured_fen)
    elif result == DIFFERS:
        yield _row(mine, fen)
    elif result != OURS_ONLY:
        raise ValueError("a result that no statement has")


def _row(one: InsuredDocument, fen: int, settlement_id: str = "") -> BillRow:
    return BillRow(
        BillRowKind.REFUND if one.is_refund else BillRowKind.PAYMENT,
        one.number,
        one.out_trade_no,
        fen,
        settlement_id or one.settlement_id,
        one.happened_at,
    )


def _key(one: InsuredDocument) -> _Key:
    return one.settlement_id, one.is_refund


def _amount(one: InsuredDocument, fen: int) -> str:
    return f"-{to_yuan(fen)}" if one.is_refund and fen else to_yuan(fen)


def _signed(text: str, is_refund: bool) -> int:
    """Fen of an amount that is negative on what takes a settlement back, and nowhere else."""
    if text.startswith("-") and not is_refund:
        raise ValueError("a negative settlement")
    fen = from_yuan(text.removeprefix("-"))
    if is_refund and fen and not text.startswith("-"):
        raise ValueError("a positive cancelling")
    return fen


def _sums(ours: Sequence[InsuredDocument]) -> dict[str, str]:
    """The totals of 3201 and 3202: what was taken back counts negative, and once more."""
    sums = [0, 0, 0, 0]
    for one in ours:
        sign = -1 if one.is_refund else 1
        own = one.total_fen - one.fund_fen - one.account_fen
        for place, fen in enumerate((one.total_fen, one.fund_fen, one.account_fen, own)):
            sums[place] += sign * fen
    texts = [f"-{to_yuan(-fen)}" if fen < 0 else to_yuan(fen) for fen in sums]
    names = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "cash_payamt")
    return dict(zip(names, texts, strict=True)) | {"fixmedins_setl_cnt": str(len(ours))}


def _packed(ours: Iterable[InsuredDocument]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\r\n")
    for one in ours:
        amounts = (one.total_fen, one.fund_fen, one.account_fen)
        table.writerow(
            (
                *(one.person.psn_no, one.visit_id, one.settlement_id, one.message_id, ""),
                *("1" if one.is_refund else "0", "", *(_amount(one, fen) for fen in amounts)),
            )
        )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("detail.txt", text.getvalue())
    return file.getvalue()


def _unpacked(data: bytes) -> Iterator[dict[str, str]]:
    """The lines of the answer; reading to the end checks the ZIP's CRC-32, the only proof there is."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (member,) = archive.infolist()
        if member.file_size > LARGEST:
            raise ValueError("a statement larger than any")
        text = archive.read(member).decode("utf-8")
    for values in csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True):
        yield dict(zip(COLUMNS, values, strict=True))


def _text(part: Any, name: str) -> str:
    value = part.get(name) if isinstance(part, dict) else None
    if not isinstance(value, str) or not value:
        raise GatewayUnknown(f"the answer has no {name}")
    return value
