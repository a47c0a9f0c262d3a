"""Alembic's entry: migrates the connection that ``app.migrations`` hands over."""

from alembic import context

from app.models import (  # noqa: F401  # fills the metadata
    account,
    consent,
    conversation,
    feed,
    invitation,
    job,
    journal,
    measure,
    member,
    passkey,
    peer,
    photo,
    provider,
    report,
    sign_in,
    space,
    still_true,
    watch,
)
from app.models.base import Base


def include(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    # The search index is a cache with its own tables, made and rebuilt by app.search.
    return not (kind == "table" and (name or "").startswith("search_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    include_object=include,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
