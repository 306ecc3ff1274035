"""Facts about patients and recordings: what a person decided or a task measured, under a key."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for owner in ("patient", "recording"):
        op.create_table(
            f"{owner}_facts",
            sa.Column(f"{owner}_id", sa.String(length=12), nullable=False),
            sa.Column("key", sa.String(length=40), nullable=False),
            sa.Column("data", sa.JSON(), nullable=False),
            sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
            sa.ForeignKeyConstraint([f"{owner}_id"], [f"{owner}s.id"], ondelete="CASCADE"),
            sa.PrimaryKeyConstraint(f"{owner}_id", "key"),
        )
