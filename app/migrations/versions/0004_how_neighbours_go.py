"""How the exchange with each neighbour goes over a day, and its last test

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

import app.models.base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "peer",
        sa.Column("unconfirmed_since", app.models.base.Moment(timezone=True), nullable=True),
    )
    op.create_table(
        "lag_sample",
        sa.Column("peer_id", sa.Integer(), nullable=False),
        sa.Column("at", app.models.base.Moment(timezone=True), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer_id"], ["peer.id"], name=op.f("fk_lag_sample_peer_id_peer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("peer_id", "at", name=op.f("pk_lag_sample")),
    )
    with op.batch_alter_table("lag_sample", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lag_sample_at"), ["at"], unique=False)
    op.create_table(
        "trial",
        sa.Column("peer_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", app.models.base.Moment(timezone=True), nullable=False),
        sa.Column("done_at", app.models.base.Moment(timezone=True), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer_id"], ["peer.id"], name=op.f("fk_trial_peer_id_peer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("peer_id", name=op.f("pk_trial")),
    )
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_done_at"), ["done_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_done_at"))
    op.drop_table("trial")
    with op.batch_alter_table("lag_sample", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lag_sample_at"))
    op.drop_table("lag_sample")
    # Not by making the table anew: dropping the old one would delete all that refers to it.
    op.drop_column("peer", "unconfirmed_since")
