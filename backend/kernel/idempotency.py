"""Idempotency keys: the same command sent twice acts once and is answered alike.

The stored answer carries ids and masked values only; the key and the request are stored as hashes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any, cast

from flask_babel import lazy_gettext as _
from sqlalchemy import LargeBinary, String, Table, bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from backend.kernel.db import Base
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.uow import now

KEEP = dt.timedelta(days=3)


class IdempotencyAnswer(Base):
    """One command that was carried out, and what was answered."""

    __tablename__ = "kernel_idempotency_answer"
    is_kernel_row = True

    scope: Mapped[str] = mapped_column(String(120), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    answer: Mapped[dict[str, Any] | None]
    created_at: Mapped[dt.datetime] = mapped_column(index=True)


_ANSWERS = cast(Table, IdempotencyAnswer.__table__)


def _claim(insert: postgresql.Insert | sqlite.Insert) -> ReturningInsert[Any]:
    """Take the key, unless it was used."""
    return (
        insert.values(
            {name: bindparam(name) for name in ("scope", "key_hash", "request_hash", "created_at")}
        )
        .on_conflict_do_nothing()
        .returning(_ANSWERS.c.scope)
    )


#: Made once, so that SQLAlchemy need not look at them anew each time.
_CLAIM = {
    "postgresql": _claim(postgresql.insert(_ANSWERS)),
    "sqlite": _claim(sqlite.insert(_ANSWERS)),
}
_KEEP_ANSWER = (
    update(_ANSWERS)
    .where(_ANSWERS.c.scope == bindparam("of"), _ANSWERS.c.key_hash == bindparam("by"))
    .values(answer=bindparam("said", type_=_ANSWERS.c.answer.type))
)


def once(
    session: Session,
    scope: str,
    key: str,
    request: dict[str, Any],
    act: Callable[[], dict[str, Any]],
) -> dict[str, Any]:
    """Run ``act`` the first time ``key`` is seen in ``scope`` and give its JSON answer; later give it back.

    Two at once: the second waits for the first. The same key with another request is a Conflict; an empty key
    is InvalidInput. When ``act`` raises, nothing is stored and the key may be used again.
    """
    if not key or len(key) > 200:
        raise InvalidInput(_("缺少防重复提交的标识"), code="idempotency_key_missing")
    digest = hashlib.sha256(key.encode()).digest()
    fingerprint = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).digest()
    session.flush()
    connection = session.connection()
    claimed = connection.execute(
        _CLAIM[connection.dialect.name],
        {
            "scope": scope,
            "key_hash": digest,
            "request_hash": fingerprint,
            "created_at": now(session),
        },
    ).first()
    if claimed is None:
        stored = session.get_one(IdempotencyAnswer, (scope, digest), populate_existing=True)
        if stored.request_hash != fingerprint:
            raise Conflict(_("这个操作标识已经用于另一笔请求"), code="idempotency_key_reused")
        return stored.answer or {}
    answer: dict[str, Any] = json.loads(json.dumps(act(), default=str))
    session.flush()
    connection.execute(_KEEP_ANSWER, {"of": scope, "by": digest, "said": answer})
    return answer


def forget_old(session: Session) -> None:
    """Drop answers nobody can ask for any more."""
    session.execute(
        delete(IdempotencyAnswer).where(IdempotencyAnswer.created_at < now(session) - KEEP)
    )
