"""What people look like: photos of members, and our copies of those of neighbours' people

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

from app.models.base import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "photo",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_photo_member_id_member"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_photo")),
    )
    op.create_index(op.f("ix_photo_digest"), "photo", ["digest"])
    op.create_table(
        "mirrored_photo",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("peer_id", sa.Integer(), nullable=False),
        sa.Column("claimed", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("refused", sa.String(length=40), nullable=False),
        sa.Column("fetched_at", Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer_id"],
            ["peer.id"],
            name=op.f("fk_mirrored_photo_peer_id_peer"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["mirrored_profile.id"],
            name=op.f("fk_mirrored_photo_profile_id_mirrored_profile"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_mirrored_photo")),
    )
    op.create_index(op.f("ix_mirrored_photo_peer_id"), "mirrored_photo", ["peer_id"])
    op.add_column("member", sa.Column("photo", sa.JSON(), nullable=False, server_default="{}"))
    for name in ("photo_claimed", "photo"):
        op.add_column(
            "mirrored_profile",
            sa.Column(name, sa.String(length=64), nullable=False, server_default=""),
        )


def downgrade() -> None:
    # Not by making the tables anew: dropping the old ones would delete all that refers to them.
    for name in ("photo", "photo_claimed"):
        op.drop_column("mirrored_profile", name)
    op.drop_column("member", "photo")
    op.drop_index(op.f("ix_mirrored_photo_peer_id"), table_name="mirrored_photo")
    op.drop_table("mirrored_photo")
    op.drop_index(op.f("ix_photo_digest"), table_name="photo")
    op.drop_table("photo")
