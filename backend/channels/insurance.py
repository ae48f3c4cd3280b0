"""The national insurance (医保 2.0 interface): billing's `InsuranceGateway` in signed JSON envelopes.

One POST a transaction to ``<base_url>/<infno>``; the platform's headers carry an account, a time, a nonce
and the SHA-256 of time + secret + nonce + time. Answers are not signed: the line to the centre is a
closed network with TLS. So they are held against the question instead: sums must add up to the fees that
were sent, and the visit must be ours. Which code the centre has for an item and for a category of fees is
in the contract's file. Nothing here logs a body, and no method retries.

What is simplified stands in docs/standards.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import requests

from backend.billing.ports import GatewayRefused, GatewayUnknown
from backend.billing.ports.insurance import (
    FeeLine,
    InsuranceSplit,
    InsuranceVisit,
    InsuredPerson,
)
from backend.channels.http import session_to
from backend.kernel.clock import SHANGHAI, local, utc_now
from backend.kernel.money import from_yuan, to_yuan

#: The insurance's codes for categories of fees (med_chrgitm_type); a contract may say otherwise.
CATEGORY_CODES: Mapping[str, str] = {
    "registration": "12",
    "consultation": "02",
    "laboratory": "04",
    "imaging": "03",
    "ultrasound": "03",
    "endoscopy": "03",
    "nuclear": "03",
    "pathology": "04",
    "procedure": "05",
    "treatment": "05",
    "radiotherapy": "05",
    "surgery": "06",
    "nursing": "07",
    "material": "08",
    "drug": "09",
    "bed": "01",
}
OTHER_CATEGORY = "14"
#: mdtrt_cert_type: 01 electronic credential, 03 social-security card.
CREDENTIAL_TYPE = "01"
OUTPATIENT = "11"


@dataclass(frozen=True)
class InsuranceConfig:
    """The hospital's contract with the insurance. The secret is never shown."""

    base_url: str
    fixmedins_code: str
    fixmedins_name: str
    mdtrtarea_admvs: str
    paas_id: str
    secret_key: str = field(repr=False)
    item_codes: Mapping[str, str] = field(default_factory=dict)
    category_codes: Mapping[str, str] = field(default_factory=lambda: CATEGORY_CODES)
    timeout_seconds: float = 10.0


def load_insurance_file(path: Path) -> InsuranceConfig:
    """Read the JSON contract. OSError when it cannot be read, KeyError or ValueError when incomplete."""
    data = json.loads(path.read_text("utf-8"))
    return InsuranceConfig(
        base_url=data["base_url"],
        fixmedins_code=data["fixmedins_code"],
        fixmedins_name=data["fixmedins_name"],
        mdtrtarea_admvs=data["mdtrtarea_admvs"],
        paas_id=data["paas_id"],
        secret_key=data["secret_key"],
        item_codes=data.get("item_codes", {}),
        category_codes={**CATEGORY_CODES, **data.get("category_codes", {})},
    )


class NationalInsurance:
    """`InsuranceGateway` over one contract; thread-safe, keeps only the number of its last message."""

    def __init__(
        self, load: Callable[[], InsuranceConfig], *, now: Callable[[], dt.datetime] = utc_now
    ) -> None:
        self._load, self._now = load, now
        self._lock = Lock()
        self._opened: InsuranceConfig | None = None
        # Begun anywhere, so that processes keep apart; billing stores no number twice.
        self._sequence = itertools.count(secrets.randbelow(10_000))

    @property
    def config(self) -> InsuranceConfig:
        """The contract; GatewayRefused while its file is missing (nothing can have been sent)."""
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = self._load()
                except FileNotFoundError as error:
                    raise GatewayRefused("INSURANCE_UNREACHABLE", "no contract yet") from error
            return self._opened

    def new_message_id(self, at: dt.datetime) -> str:
        """The institution's code (12), the time (14), a sequence number (4): thirty characters."""
        code = self.config.fixmedins_code.ljust(12, "0")[:12]
        return f"{code}{local(at):%Y%m%d%H%M%S}{next(self._sequence) % 10_000:04d}"

    def identify(self, credential: str, *, at: dt.datetime) -> InsuredPerson:
        """1101; see the port."""
        output = self._ask(
            "1101",
            {"data": {"mdtrt_cert_type": CREDENTIAL_TYPE, "mdtrt_cert_no": credential}},
            at,
        )
        kinds = output.get("insuinfo")
        valid = (
            [k for k in kinds if k.get("psn_insu_stas") == "1"] if isinstance(kinds, list) else []
        )
        if not valid:
            raise GatewayRefused("1101", "没有有效的参保信息")
        base = output.get("baseinfo")
        return InsuredPerson(_text(base, "psn_no"), _text(valid[0], "insutype"))

    def register(self, person: InsuredPerson, visit: InsuranceVisit) -> str:
        """2201, 2203, 2204; see the port."""
        known = {"psn_no": person.psn_no, "ipt_otp_no": visit.number}
        output = self._ask(
            "2201",
            {
                "data": {
                    **known,
                    "insutype": person.insutype,
                    "begntime": _moment(visit.at),
                    "mdtrt_cert_type": CREDENTIAL_TYPE,
                    "dept_name": visit.department,
                    "med_type": OUTPATIENT,
                }
            },
            visit.at,
        )
        visit_id = _text(output.get("data"), "mdtrt_id")
        known["mdtrt_id"] = visit_id
        disease = {
            "diag_type": "1",
            "diag_srt_no": "1",
            "diag_code": visit.diagnosis_code,
            "diag_name": visit.diagnosis_name,
            "vali_flag": "1",
        }
        self._ask(
            "2203",
            {
                "mdtrtinfo": {**known, "med_type": OUTPATIENT, "begntime": _moment(visit.at)},
                "diseinfo": [disease],
            },
            visit.at,
        )
        lines = [self._fee(person, visit_id, visit, line) for line in visit.lines]
        self._ask("2204", {"feedetail": lines}, visit.at)
        return visit_id

    def unregister(self, person: InsuredPerson, visit_id: str, *, at: dt.datetime) -> None:
        """2205, 2202; see the port."""
        data = {"psn_no": person.psn_no, "mdtrt_id": visit_id}
        self._ask("2205", {"data": {**data, "chrg_bchno": "0000"}}, at)
        self._ask("2202", {"data": data}, at)

    def pre_settle(
        self, person: InsuredPerson, visit_id: str, visit: InsuranceVisit
    ) -> InsuranceSplit:
        """2206; see the port."""
        output = self._ask("2206", self._settlement(person, visit_id, visit), visit.at)
        return _split(output, visit_id, visit.total_fen)

    def settle(
        self, person: InsuredPerson, visit_id: str, visit: InsuranceVisit, *, message_id: str
    ) -> InsuranceSplit:
        """2207; see the port."""
        request = self._settlement(person, visit_id, visit)
        output = self._ask("2207", request, visit.at, message_id)
        split = _split(output, visit_id, visit.total_fen)
        if not split.settlement_id:
            raise GatewayUnknown("a settlement without its number")
        return split

    def cancel(
        self,
        person: InsuredPerson,
        visit_id: str,
        settlement_id: str,
        *,
        at: dt.datetime,
        message_id: str,
    ) -> None:
        """2208; see the port."""
        data = {"psn_no": person.psn_no, "mdtrt_id": visit_id, "setl_id": settlement_id}
        self._ask("2208", {"data": data}, at, message_id)

    def reverse(
        self, person: InsuredPerson, *, infno: str, message_id: str, at: dt.datetime
    ) -> None:
        """2601; see the port."""
        data = {"psn_no": person.psn_no, "omsgid": message_id, "oinfno": infno}
        self._ask("2601", {"data": data}, at)

    def ask(self, infno: str, content: dict[str, Any]) -> dict[str, Any]:
        """A transaction outside the claims' dialogue (the statement of a day): its output. Errors as in the port."""
        return self._ask(infno, content)

    def fetch(self, infno: str, content: dict[str, Any]) -> bytes:
        """A transaction that is answered by a file instead of an envelope. Errors as in the port."""
        answer = self._post(infno, content, self._now())
        if answer.status_code != 200 or "json" in answer.headers.get("Content-Type", ""):
            self._output(infno, answer)
            raise GatewayUnknown(f"{infno} without its file")
        return answer.content

    # --- the wire ------------------------------------------------------------------------

    def _fee(
        self, person: InsuredPerson, visit_id: str, visit: InsuranceVisit, line: FeeLine
    ) -> dict[str, str]:
        config = self.config
        return {
            "feedetl_sn": line.number,
            "mdtrt_id": visit_id,
            "psn_no": person.psn_no,
            "chrg_bchno": visit.number,
            "fee_ocur_time": _moment(visit.at),
            "med_list_codg": config.item_codes.get(line.item_code, line.item_code),
            "medins_list_codg": line.item_code,
            "medins_list_name": line.name,
            "med_chrgitm_type": config.category_codes.get(line.category, OTHER_CATEGORY),
            "cnt": str(line.quantity),
            "pric": to_yuan(line.unit_price_fen),
            "det_item_fee_sumamt": to_yuan(line.amount_fen),
        }

    def _settlement(
        self, person: InsuredPerson, visit_id: str, visit: InsuranceVisit
    ) -> dict[str, Any]:
        return {
            "data": {
                "psn_no": person.psn_no,
                "mdtrt_id": visit_id,
                "insutype": person.insutype,
                "mdtrt_cert_type": CREDENTIAL_TYPE,
                "med_type": OUTPATIENT,
                "medfee_sumamt": to_yuan(visit.total_fen),
                "psn_setlway": "01",
                "chrg_bchno": visit.number,
                # The personal account is the patient's own money: used only where they say so.
                "acct_used_flag": "0",
            }
        }

    def _ask(
        self,
        infno: str,
        content: dict[str, Any],
        at: dt.datetime | None = None,
        message_id: str = "",
    ) -> dict[str, Any]:
        """One transaction: its output, or GatewayRefused with the centre's words, or GatewayUnknown."""
        return self._output(infno, self._post(infno, content, self._now(), message_id))

    def _post(
        self, infno: str, content: dict[str, Any], now: dt.datetime, message_id: str = ""
    ) -> requests.Response:
        config = self.config
        body = {
            "infno": infno,
            "msgid": message_id or self.new_message_id(now),
            "mdtrtarea_admvs": config.mdtrtarea_admvs,
            "insuplc_admdvs": config.mdtrtarea_admvs,
            "recer_sys_code": "FSI_LOCAL",
            "infver": "V1.0",
            "opter_type": "1",
            "opter": "xinglin",
            "opter_name": "收费员",
            "inf_time": _moment(now),
            "fixmedins_code": config.fixmedins_code,
            "fixmedins_name": config.fixmedins_name,
            "input": content,
        }
        try:
            with session_to(config.base_url) as session:
                return session.post(
                    f"{config.base_url}/{infno}",
                    data=json.dumps(body, ensure_ascii=False).encode(),
                    headers={"Content-Type": "application/json", **self._signed(now)},
                    timeout=config.timeout_seconds,
                    allow_redirects=False,
                )
        except requests.ConnectTimeout as error:
            raise GatewayRefused("INSURANCE_UNREACHABLE", "connect timeout") from error
        except requests.RequestException as error:
            raise GatewayUnknown(f"no answer: {type(error).__name__}") from error

    @staticmethod
    def _output(infno: str, answer: requests.Response) -> dict[str, Any]:
        try:
            said = answer.json() if answer.status_code == 200 else None
        except ValueError as error:
            raise GatewayUnknown(f"no answer: {type(error).__name__}") from error
        if not isinstance(said, dict):
            raise GatewayUnknown(f"HTTP {answer.status_code}")
        if str(said.get("infcode")) == "-1":
            raise GatewayRefused(infno, str(said.get("err_msg", ""))[:200])
        output = said.get("output")
        if str(said.get("infcode")) != "0" or not isinstance(output, dict):
            raise GatewayUnknown(f"infcode {said.get('infcode')}")
        return output

    def _signed(self, now: dt.datetime) -> dict[str, str]:
        """The platform's headers; SHA-256 over time, secret, nonce, time."""
        stamp, nonce = str(int(now.timestamp())), secrets.token_hex(8)
        return {
            "x-tif-paasid": self.config.paas_id,
            "x-tif-timestamp": stamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": signature(stamp, self.config.secret_key, nonce),
        }


def signature(stamp: str, secret: str, nonce: str) -> str:
    """What the platform expects in x-tif-signature."""
    return hashlib.sha256(f"{stamp}{secret}{nonce}{stamp}".encode()).hexdigest().upper()


def _moment(at: dt.datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M:%S}"


def _text(part: Any, name: str) -> str:
    value = part.get(name) if isinstance(part, dict) else None
    if not isinstance(value, str) or not value:
        raise GatewayUnknown(f"the answer has no {name}")
    return value


def _split(output: Mapping[str, Any], visit_id: str, total_fen: int) -> InsuranceSplit:
    """The sums of an answer; GatewayUnknown unless they add up to what was sent, for our visit."""
    info = output.get("setlinfo")
    if _text(info, "mdtrt_id") != visit_id:
        raise GatewayUnknown("the answer is about another visit")
    try:
        total, fund, account, own = (
            from_yuan(_text(info, name))
            for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay")
        )
        when = info.get("setl_time") if isinstance(info, dict) else None
        settled_at = (
            dt.datetime.strptime(when, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
            if isinstance(when, str)
            else None
        )
    except ValueError as error:
        raise GatewayUnknown("unreadable sums") from error
    if total != total_fen or fund + account + own != total:
        raise GatewayUnknown("the sums do not add up")
    settlement_id = str(info.get("setl_id", "")) if isinstance(info, dict) else ""
    return InsuranceSplit(
        total, fund, account, own, settlement_id,
        settled_at.astimezone(dt.UTC) if settled_at else None,
    )  # fmt: skip
