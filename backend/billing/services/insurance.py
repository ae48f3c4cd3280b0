"""Claims on the national insurance: the intent, the steps, and how they ended. Talks to no centre."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import queries, rules
from backend.billing.errors import CredentialInvalid, InvoiceNotOpen, PaymentInFlight
from backend.billing.models import InsuranceClaim
from backend.billing.models.insurance import CREDENTIAL_CONTEXT, PERSON_CONTEXT
from backend.billing.ports.insurance import (
    FeeLine,
    InsuranceSplit,
    InsuranceVisit,
    InsuredPerson,
)
from backend.billing.rules import Channel, InvoiceState, Tender
from backend.billing.rules.insurance import (
    CLAIM_MOVES,
    DEPARTMENT,
    FIRST_DIAGNOSIS,
    ClaimState,
    is_credential,
    mask_credential,
)
from backend.billing.services.handled import handled_by, who
from backend.billing.services.invoices import lock_invoice
from backend.billing.services.payments import start_payment
from backend.contracts.billing import InsuranceClaimRequested
from backend.kernel import audit, outbox
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import keys, now

_LIVE = (ClaimState.CREATED, ClaimState.ESTIMATED, ClaimState.SETTLING, ClaimState.REVERSING)


def claim_insurance(
    session: Session, *, invoice_id: Id, credential: str, channel: Channel | None = None
) -> InsuranceClaim:
    """Let the insurance pay its part of a bill: it is asked after this transaction.

    A claim that is under way is given again; PaymentInFlight (409) when it is by another credential.
    CredentialInvalid (422), InvoiceNotOpen (409) for a bill that is paid, has ended, or of which a part is
    paid already: the insurance comes first. Whoever asks has the payment in their shift.
    """
    wanted = "".join(credential.split())
    if not is_credential(wanted):
        raise CredentialInvalid
    invoice = lock_invoice(session, invoice_id)
    live = session.scalar(
        select(InsuranceClaim).where(
            InsuranceClaim.invoice_id == invoice_id, InsuranceClaim.state.in_(_LIVE)
        )
    )
    if live is not None:
        if live.credential_masked != mask_credential(wanted):
            raise PaymentInFlight(
                _("这张账单正在用另一张医保凭证结算"), next_step=_("请等它结束后再试")
            )
        return live
    if invoice.state is not InvoiceState.OPEN or invoice.void_requested_at is not None:
        raise InvoiceNotOpen(state=invoice.state.value)
    if invoice.paid_fen:
        raise InvoiceNotOpen(
            _("这张账单已付过一部分，不能再医保结算"), next_step=_("请先退款，再从医保结算开始")
        )
    claim = InsuranceClaim(
        id=new_id(),
        hospital_id=invoice.hospital_id,
        invoice_id=invoice.id,
        state=ClaimState.CREATED,
        credential_sealed=keys(session).seal(wanted, CREDENTIAL_CONTEXT),
        credential_masked=mask_credential(wanted),
        created_at=now(session),
        **who(session, channel),
    )
    session.add(claim)
    session.flush()
    _audit(session, claim, "created")
    outbox.publish(session, InsuranceClaimRequested(claim.hospital_id, claim.id))
    return claim


# --- reads of a step ---------------------------------------------------------------------


def find_claim(session: Session, payment_id: Id) -> InsuranceClaim | None:
    """The claim of a payment."""
    return session.scalar(select(InsuranceClaim).where(InsuranceClaim.payment_id == payment_id))


def get_visit(session: Session, claim: InsuranceClaim) -> InsuranceVisit:
    """The bill as the insurance sees it; our number of the visit is the claim's."""
    invoice = queries.get_invoice(session, claim.invoice_id)
    items = queries.charge_codes(session, claim.invoice_id)
    return InsuranceVisit(
        number=claim.id.hex[:30],
        at=claim.created_at,
        diagnosis_code=FIRST_DIAGNOSIS[0],
        diagnosis_name=FIRST_DIAGNOSIS[1],
        department=DEPARTMENT,
        lines=tuple(
            FeeLine(
                number=line.charge_id.hex[:30],
                item_code=items[line.charge_id][0],
                name=line.name,
                category=items[line.charge_id][1],
                quantity=line.quantity,
                unit_price_fen=line.unit_price_fen,
                amount_fen=line.amount_fen,
            )
            for line in invoice.lines
        ),
    )


def open_credential(session: Session, claim: InsuranceClaim) -> str:
    """What was scanned, for the moment of asking."""
    if claim.credential_sealed is None:
        raise LookupError("the credential is wiped")
    return keys(session).open(claim.credential_sealed, CREDENTIAL_CONTEXT)


def open_person(session: Session, claim: InsuranceClaim) -> InsuredPerson:
    """The person, for the moment of asking."""
    if claim.person_sealed is None:
        raise LookupError("the person is not known yet")
    return InsuredPerson(keys(session).open(claim.person_sealed, PERSON_CONTEXT), claim.insutype)


# --- steps -------------------------------------------------------------------------------


def estimate_claim(
    session: Session,
    claim_id: Id,
    person: InsuredPerson,
    visit_id: str,
    split: InsuranceSplit,
    message_id: str,
) -> None:
    """The split is known: begin the payment of the insured part, whose settlement is named ``message_id``."""
    claim = _lock(session, claim_id)
    if claim.state is not ClaimState.CREATED:
        return
    claim.visit_id, claim.insutype = visit_id, person.insutype
    claim.person_sealed = keys(session).seal(person.psn_no, PERSON_CONTEXT)
    claim.total_fen, claim.fund_fen = split.total_fen, split.fund_fen
    claim.account_fen, claim.self_fen = split.account_fen, split.self_fen
    claim.message_id = message_id
    if not split.insured_fen:
        _refuse(session, claim, _("医保不支付这张账单的费用，请自费支付"))
        return
    try:
        with session.begin_nested():
            payment = start_payment(
                session,
                invoice_id=claim.invoice_id,
                amount_fen=split.insured_fen,
                tender=Tender.INSURANCE,
                is_part=True,
                by=handled_by(claim),
            )
            session.flush()
    except XinglinError as error:
        _refuse(session, claim, str(error.message))
        return
    claim.payment_id, claim.credential_sealed = payment.id, None
    _set(session, claim, ClaimState.ESTIMATED)


def refuse_claim(session: Session, claim_id: Id, words: str) -> None:
    """The insurance does not pay, and says why."""
    claim = _lock(session, claim_id)
    if claim.state in (ClaimState.CREATED, ClaimState.ESTIMATED, ClaimState.SETTLING):
        _refuse(session, claim, words)


def move_claim(session: Session, claim_id: Id, frm: ClaimState, to: ClaimState) -> bool:
    """Take a step under the claim's lock; False when somebody else has taken one."""
    claim = _lock(session, claim_id)
    if claim.state is not frm:
        return False
    if to in (ClaimState.SETTLING, ClaimState.CANCELLING):
        claim.sent_at = now(session)
    if to in (ClaimState.REVERSED, ClaimState.CANCELLED):
        claim.ended_at = now(session)
    _set(session, claim, to)
    return True


def name_cancelling(session: Session, claim_id: Id, message_id: str) -> bool:
    """The intent to take the settlement back, with the name of its message."""
    if not move_claim(session, claim_id, ClaimState.SETTLED, ClaimState.CANCELLING):
        return False
    _lock(session, claim_id).cancel_message_id = message_id
    return True


def store_settlement_id(session: Session, claim_id: Id, settlement_id: str) -> None:
    """The insurance has paid."""
    claim = _lock(session, claim_id)
    claim.settlement_id = settlement_id
    _set(session, claim, ClaimState.SETTLED)


def _refuse(session: Session, claim: InsuranceClaim, words: str) -> None:
    claim.words, claim.credential_sealed = words[:200], None
    claim.ended_at = now(session)
    _set(session, claim, ClaimState.REFUSED)


def _lock(session: Session, claim_id: Id) -> InsuranceClaim:
    claim = lock_row(session, InsuranceClaim, claim_id)
    if claim is None:
        raise LookupError(f"insurance claim {claim_id}")
    return claim


def _set(session: Session, claim: InsuranceClaim, state: ClaimState) -> None:
    claim.state = rules.move(CLAIM_MOVES, claim.state, state)
    _audit(session, claim, state.value)


def _audit(session: Session, claim: InsuranceClaim, what: str) -> None:
    audit.record(
        session,
        f"billing.insurance_{what}",
        entity="insurance_claim",
        entity_id=claim.id,
        invoice_id=claim.invoice_id,
        fund_fen=claim.fund_fen,
        account_fen=claim.account_fen,
        self_fen=claim.self_fen,
    )
