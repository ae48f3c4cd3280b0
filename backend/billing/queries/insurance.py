"""Reads of claims on the national insurance."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.errors import InvoiceUnknown
from backend.billing.models import InsuranceClaim
from backend.billing.queries.bills import is_foreign
from backend.billing.rules.insurance import CLAIM_PENDING, ClaimState
from backend.billing.views import ClaimView
from backend.kernel.ids import Id
from backend.kernel.money import format_yuan


def get_claim(session: Session, claim_id: Id) -> ClaimView:
    """A claim; InvoiceUnknown (404) when there is none in this hospital. Whose bill it is on is the caller's to ask."""
    claim = session.get(InsuranceClaim, claim_id)
    if claim is None or is_foreign(session, claim.hospital_id):
        raise InvoiceUnknown
    return _view(claim)


def find_claims(session: Session, invoice_ids: Iterable[Id]) -> dict[Id, ClaimView]:
    """The latest claim of each of these bills, if any, in one query."""
    rows = session.scalars(
        select(InsuranceClaim)
        .where(InsuranceClaim.invoice_id.in_(set(invoice_ids)))
        .order_by(InsuranceClaim.id)
    )
    return {claim.invoice_id: _view(claim) for claim in rows}


def _view(claim: InsuranceClaim) -> ClaimView:
    words = claim.words
    if claim.state in CLAIM_PENDING:
        words = _("正在向医保中心申请结算，请稍候")
    elif claim.state is ClaimState.REVERSED:
        words = _("医保结算没有完成，已冲正，没有扣款。可以重新结算或自费支付")
    elif not words:
        words = _(
            "医保支付 %(fund)s，个人支付 %(own)s",
            fund=format_yuan(claim.fund_fen + claim.account_fen),
            own=format_yuan(claim.self_fen),
        )
    return ClaimView(
        id=claim.id,
        invoice_id=claim.invoice_id,
        state=claim.state,
        is_pending=claim.state in CLAIM_PENDING,
        is_refused=claim.state in (ClaimState.REFUSED, ClaimState.REVERSED),
        insured_fen=claim.fund_fen + claim.account_fen,
        words=words,
    )
