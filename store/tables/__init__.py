"""The tables, by subject. Importing this package registers all of them for the migrations."""

from sqlmodel import SQLModel

from store.tables import access, audit, intake, orders, parcels, stock

metadata = SQLModel.metadata

__all__ = ["access", "audit", "intake", "metadata", "orders", "parcels", "stock"]
