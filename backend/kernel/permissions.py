"""Permissions and actors: who acts, what they may do, and where (hospital and department scope)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from backend.kernel.errors import Forbidden
from backend.kernel.ids import Id


class Permission(StrEnum):
    """Everything that can be allowed, as ``scope:resource:action``, in alphabetical order."""

    BILLING_CASE_CLOSE = "billing:case:close"
    BILLING_DAY_CLOSE = "billing:day:close"
    BILLING_DEPOSIT_MANAGE = "billing:deposit:manage"
    BILLING_EXECUTION_REVERSE = "billing:execution:reverse"
    BILLING_INVOICE_READ = "billing:invoice:read"
    BILLING_PAYMENT_TAKE = "billing:payment:take"
    BILLING_PRICE_READ = "billing:price:read"
    BILLING_PRICE_WRITE = "billing:price:write"
    BILLING_RECONCILIATION_READ = "billing:reconciliation:read"
    BILLING_REFUND_REQUEST = "billing:refund:request"
    BILLING_SHIFT_CLOSE = "billing:shift:close"
    CLINICAL_ENCOUNTER_READ = "clinical:encounter:read"
    CLINICAL_ENCOUNTER_WRITE = "clinical:encounter:write"
    DEVICES_KIOSK_MANAGE = "devices:kiosk:manage"
    DEVICES_KIOSK_READ = "devices:kiosk:read"
    DEVICES_KIOSK_USE = "devices:kiosk:use"
    IDENTITY_ACCOUNT_MANAGE = "identity:account:manage"
    IDENTITY_AUDIT_READ = "identity:audit:read"
    IDENTITY_SESSION_OWN = "identity:session:own"
    INDICATORS_SHARE_READ = "indicators:share:read"
    KERNEL_DELIVERY_MANAGE = "kernel:delivery:manage"
    ORGANIZATION_LOCATION_READ = "organization:location:read"
    ORGANIZATION_LOCATION_WRITE = "organization:location:write"
    ORGANIZATION_STAFF_READ = "organization:staff:read"
    ORGANIZATION_STAFF_WRITE = "organization:staff:write"
    PATIENTS_PATIENT_READ = "patients:patient:read"
    PATIENTS_PATIENT_REVEAL = "patients:patient:reveal"
    PATIENTS_PATIENT_WRITE = "patients:patient:write"
    QUEUEING_TICKET_CALL = "queueing:ticket:call"
    QUEUEING_TICKET_MANAGE = "queueing:ticket:manage"
    QUEUEING_TICKET_READ = "queueing:ticket:read"
    SCHEDULING_APPOINTMENT_WRITE = "scheduling:appointment:write"
    SCHEDULING_EXAMINATION_BOOK = "scheduling:examination:book"
    SCHEDULING_SCHEDULE_GENERATE = "scheduling:schedule:generate"
    SCHEDULING_SCHEDULE_MANAGE = "scheduling:schedule:manage"
    SCHEDULING_SCHEDULE_READ = "scheduling:schedule:read"
    SCHEDULING_SLOT_ADD = "scheduling:slot:add"


class ActorKind(StrEnum):
    """What sort of actor stands behind a unit of work."""

    STAFF = "staff"
    PATIENT = "patient"
    DEVICE = "device"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``grants`` maps a permission to the departments it holds in; None means the whole hospital.

    ``label`` is what audit rows show: a staff code, a kiosk code or a program's name, never a patient's name.
    """

    kind: ActorKind
    id: Id | None = None
    hospital_id: Id | None = None
    label: str = ""
    grants: Mapping[Permission, frozenset[Id] | None] = field(default_factory=dict)
    practitioner_id: Id | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        """Every permission held anywhere."""
        return frozenset(self.grants)


ANONYMOUS = Actor(ActorKind.ANONYMOUS, label="anonymous")


def system_actor(label: str, hospital_id: Id | None = None) -> Actor:
    """The program itself (a subscriber, a periodic job, a command), allowed everything."""
    return Actor(
        ActorKind.SYSTEM, hospital_id=hospital_id, label=label, grants=dict.fromkeys(Permission)
    )


def has(
    actor: Actor,
    permission: Permission,
    *,
    hospital_id: Id | None = None,
    department_id: Id | None = None,
) -> bool:
    """True when ``actor`` holds ``permission`` in that hospital and department (None = not asked)."""
    if permission not in actor.grants:
        return False
    if hospital_id is not None and actor.hospital_id not in (None, hospital_id):
        return False
    departments = actor.grants[permission]
    return department_id is None or departments is None or department_id in departments


def require(
    actor: Actor,
    permission: Permission,
    *,
    hospital_id: Id | None = None,
    department_id: Id | None = None,
) -> None:
    """Raise Forbidden unless ``has(...)``."""
    if not has(actor, permission, hospital_id=hospital_id, department_id=department_id):
        raise Forbidden(permission=permission.value)
