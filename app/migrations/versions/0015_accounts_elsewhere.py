"""Accounts at identity providers, the ways there and back, and when a person last proved themselves

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import Moment

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=26), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("added_at", Moment(timezone=True), nullable=False),
        sa.Column("used_at", Moment(timezone=True), nullable=True),
        sa.Column("unlinked_at", Moment(timezone=True), nullable=True),
        _with_account("provider_identity"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_provider_identity_issuer")),
        sa.UniqueConstraint("ref", name=op.f("uq_provider_identity_ref")),
    )
    op.create_table(
        "provider_attempt",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", Moment(timezone=True), nullable=False),
        _with_account("provider_attempt"),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_provider_attempt")),
    )
    for table, column in (
        ("provider_identity", "account_id"),
        ("provider_attempt", "account_id"),
        ("provider_attempt", "expires_at"),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proved_at", Moment(timezone=True), nullable=True))
    # Until now everybody came in by a letter or a passkey, at that very moment.
    op.execute("UPDATE sign_in SET proved_at = started_at")


def downgrade() -> None:
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_column("proved_at")
    op.drop_table("provider_attempt")
    op.drop_table("provider_identity")


def _with_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"],
        ["account.id"],
        name=op.f(f"fk_{table}_account_id_account"),
        ondelete="CASCADE",
    )
