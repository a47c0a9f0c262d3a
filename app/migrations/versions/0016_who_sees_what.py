"""Who sees what: an audience for each block of a profile, and a log of what was agreed to

Whoever had chosen one circle for everything has it for each block, and has agreed to it on the day
that was kept.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import Moment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

#: The blocks of a profile besides its services, as they were when this was written.
BLOCKS = ("name", "words", "work", "languages", "interests", "availability")


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("circle", sa.String(length=10), nullable=False),
        sa.Column("block", sa.String(length=40), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("said_by", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.String(length=160), nullable=False),
        sa.CheckConstraint("circle IN ('neighbours', 'web')", name=op.f("ck_consent_circle")),
        sa.CheckConstraint(
            "said_by IN ('member', 'list', 'earlier', 'restored')", name=op.f("ck_consent_said_by")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_consent_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_member_id"), "consent", ["member_id"])
    op.add_column(
        "member",
        sa.Column("usual_audience", sa.String(length=10), nullable=False, server_default=""),
    )
    op.add_column(
        "member", sa.Column("block_audiences", sa.JSON(), nullable=False, server_default="{}")
    )
    op.add_column(
        "service", sa.Column("audience", sa.String(length=10), nullable=False, server_default="")
    )
    op.execute("UPDATE member SET usual_audience = audience")
    for circle, reached in (("neighbours", "'neighbours', 'web'"), ("web", "'web'")):
        _remember(circle, reached)


def _remember(circle: str, reached: str) -> None:
    """Write down the consent that the one choice was, for every block and service."""
    columns = "INSERT INTO consent (member_id, at, circle, block, given, said_by, detail) SELECT "
    rest = (
        f"'earlier', '' FROM member WHERE audience IN ({reached}) AND left_at IS NULL "
        "ORDER BY member.id"
    )
    since = "COALESCE(consent_at, created_at)"
    for block in BLOCKS:
        op.execute(f"{columns} id, {since}, '{circle}', '{block}', true, {rest}")
    services = rest.replace(
        "FROM member", "FROM service JOIN member ON member.id = service.member_id"
    ).replace("audience IN", "member.audience IN")
    op.execute(
        f"{columns} member.id, {since}, '{circle}', 'service:' || service.ref, true, {services}"
    )


def downgrade() -> None:
    # Whoever had set some blocks apart is shown to as few as the narrowest of them.
    op.execute("UPDATE member SET audience = 'me' WHERE usual_audience NOT IN ('', audience)")
    op.execute(
        "UPDATE member SET audience = 'me' WHERE CAST(block_audiences AS TEXT) <> '{}' "
        "OR id IN (SELECT member_id FROM service WHERE audience <> '')"
    )
    op.drop_column("service", "audience")
    op.drop_column("member", "block_audiences")
    op.drop_column("member", "usual_audience")
    op.drop_index(op.f("ix_consent_member_id"), table_name="consent")
    op.drop_table("consent")
