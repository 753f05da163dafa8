"""Locations and products: what can be sold, and the places that fulfil."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from domain.stock import Location, Product
from store.cursors import cursor_of, position_of
from store.part import Part, filled, places, put
from store.tables.stock import locations, products

PAGE_LIMIT = 1000
CHUNK = 512
PUT_LOCATION = put(locations)
PUT_PRODUCT = put(products)
LOCATIONS = select(locations.c.document).order_by(locations.c.code)
PAGE = (
    select(products.c.document)
    .where(products.c.sku > bindparam("after"))
    .order_by(products.c.sku)
    .limit(bindparam("at_most"))
)


class Catalogue(Part):
    """What can be sold, and from where."""

    def locations(self) -> Sequence[Location]:
        """Return all locations, by code."""
        with self._database.read_one() as connection:
            documents = connection.execute(LOCATIONS).scalars().all()
        return [Location.model_validate_json(document) for document in documents]

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Return the known ones of these SKUs."""
        wanted = sorted(set(skus))
        documents: list[str] = []
        for start in range(0, len(wanted), CHUNK):
            chunk = filled(wanted[start : start + CHUNK])
            with self._database.read_one() as connection:
                documents += connection.execute(_products(len(chunk)), chunk).scalars().all()
        found = [Product.model_validate_json(document) for document in documents]
        return {product.sku: product for product in found}

    def save_location(self, location: Location) -> None:
        """Create or replace a location."""
        row = {"code": location.code, "active": location.active}
        with self._database.write() as connection:
            connection.execute(PUT_LOCATION, {**row, "document": location.model_dump_json()})

    def save_product(self, product: Product) -> None:
        """Create or replace a product."""
        with self._database.write() as connection:
            row = {"sku": product.sku, "document": product.model_dump_json()}
            connection.execute(PUT_PRODUCT, row)

    def list_products(self, cursor: str = "", limit: int = 100) -> tuple[Sequence[Product], str]:
        """Return products by SKU, with the next cursor (empty on the last page).

        Raises:
            DomainError: ``bad_cursor``.
        """
        limit = max(1, min(limit, PAGE_LIMIT))
        after = position_of(cursor, 1)[0] if cursor else ""
        with self._database.read() as connection:
            page = {"after": after, "at_most": limit + 1}
            documents = connection.execute(PAGE, page).scalars().all()
        found = [Product.model_validate_json(document) for document in documents[:limit]]
        return found, cursor_of(found[-1].sku) if len(documents) > limit else ""


@cache
def _products(size: int) -> Select[Any]:
    return select(products.c.document).where(products.c.sku.in_(places(size)))
