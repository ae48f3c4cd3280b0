"""Who takes or gives back money in this unit of work, and where, for the columns of ``Handled``."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models.columns import Handled
from backend.billing.rules import Channel
from backend.kernel.uow import actor


def handled_by(row: Handled) -> dict[str, Any]:
    """The same values of a row that somebody handled."""
    return {
        "channel": row.channel,
        "actor_kind": row.actor_kind,
        "actor_id": row.actor_id,
        "actor_label": row.actor_label,
    }


def who(session: Session, channel: Channel | None = None) -> dict[str, Any]:
    """The values of ``Handled``; without a channel named, the one that goes with the actor's kind."""
    acting = actor(session)
    return {
        "channel": channel or rules.channel_of(acting.kind),
        "actor_kind": acting.kind,
        "actor_id": acting.id,
        "actor_label": acting.label[:80],
    }
