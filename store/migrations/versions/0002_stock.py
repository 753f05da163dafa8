"""Stock: places, levels, who holds what, and the ledger."""

import sqlalchemy as sa
from alembic import op

from store.migrations.ledgers import refuse_changes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "location",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )

    op.create_table(
        "product",
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sku"),
    )

    op.create_table(
        "stock_level",
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("safety_stock", sa.Integer(), nullable=False),
        sa.CheckConstraint("0 <= reserved AND reserved <= on_hand", name="ck_stock_level_s1"),
        sa.CheckConstraint("safety_stock >= 0", name="ck_stock_level_safety"),
        sa.PrimaryKeyConstraint("sku", "location"),
    )

    op.create_table(
        "reservation",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("consumed", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(remaining > 0) = (state IN ('held', 'committed'))", name="ck_reservation_s3"
        ),
        sa.CheckConstraint("quantity = remaining + consumed + released", name="ck_reservation_s4"),
        sa.CheckConstraint(
            "quantity > 0 AND remaining >= 0 AND consumed >= 0 AND released >= 0",
            name="ck_reservation_counters",
        ),
        sa.PrimaryKeyConstraint("order_id", "line_id", "n"),
    )
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reservation_expiry",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )
        batch_op.create_index("ix_reservation_level", ["sku", "location"], unique=False)

    op.create_table(
        "stock_movement",
        sa.Column("movement_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("movement_id"),
        sa.UniqueConstraint("order_id", "key", name="uq_stock_movement_key"),
    )
    with op.batch_alter_table("stock_movement", schema=None) as batch_op:
        batch_op.create_index("ix_stock_movement_level", ["sku", "location"], unique=False)

    op.create_table(
        "inbound",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.CheckConstraint("0 <= remaining AND remaining <= quantity", name="ck_inbound_remaining"),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.create_index("ix_inbound_sku", ["sku", "location"], unique=False)

    op.create_table(
        "stock_queue",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.order_id"],
        ),
        sa.PrimaryKeyConstraint("order_id", "line_id", "sku"),
    )
    with op.batch_alter_table("stock_queue", schema=None) as batch_op:
        batch_op.create_index("ix_stock_queue_turn", ["sku", "priority", "since"], unique=False)

    refuse_changes("stock_movement")


def downgrade() -> None:
    op.drop_table("stock_queue")
    op.drop_table("inbound")
    op.drop_table("stock_movement")
    op.drop_table("reservation")
    op.drop_table("stock_level")
    op.drop_table("product")
    op.drop_table("location")
