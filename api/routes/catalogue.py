"""What is sold and from where: locations and products."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.access import Stocker, StockReader
from api.commands import AtDesk, Desk
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.problems import Problem, not_found, refusals
from domain.frozen import Wire
from domain.stock import Location, Product

router = APIRouter(
    tags=["catalogue"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 404, 409, 422, 429, 503),
)
KEY = {"parameters": [KEY_PARAMETER]}
Code = Annotated[str, Path(max_length=40)]
Sku = Annotated[str, Path(max_length=100)]


class Locations(Wire):
    """All locations; there are few."""

    rows: tuple[Location, ...]


class Products(Wire):
    """A page of products."""

    rows: tuple[Product, ...]
    next_cursor: str = ""


@router.get("/locations", operation_id="list_locations", summary="All locations")
async def list_locations(_: StockReader, desk: AtDesk) -> Locations:
    """Return every location, also those that are switched off."""
    return Locations(rows=tuple(await desk.stored(desk.deps.store.locations)))


@router.post(
    "/locations",
    status_code=201,
    operation_id="create_location",
    summary="Add a location",
    openapi_extra=KEY,
)
async def create_location(body: Location, _: Stocker, desk: AtDesk) -> Location:
    """Add a location; one that exists is refused."""
    if await _location(desk, body.code):
        raise Problem(409, "exists", f"There is a location {body.code} already.")
    await desk.stored(desk.deps.store.save_location, body)
    return body


@router.get("/locations/{code}", operation_id="get_location", summary="One location")
async def get_location(code: Code, _: StockReader, desk: AtDesk) -> Location:
    """Return one location."""
    found = await _location(desk, code)
    if found is None:
        raise not_found("location")
    return found


@router.put("/locations/{code}", operation_id="put_location", summary="Write a location")
async def put_location(code: Code, body: Location, _: Stocker, desk: AtDesk) -> Location:
    """Create or replace a location."""
    if body.code != code:
        raise Problem(422, "invalid_request", "The code in the body is not the one in the path.")
    await desk.stored(desk.deps.store.save_location, body)
    return body


@router.delete(
    "/locations/{code}", status_code=204, operation_id="close_location", summary="Switch off"
)
async def close_location(code: Code, _: Stocker, desk: AtDesk) -> Response:
    """Switch a location off; its stock and its history stay."""
    found = await _location(desk, code)
    if found is None:
        raise not_found("location")
    await desk.stored(desk.deps.store.save_location, found.model_copy(update={"active": False}))
    return Response(status_code=204)


@router.get("/products", operation_id="list_products", summary="Products by SKU")
async def list_products(
    _: StockReader,
    desk: AtDesk,
    cursor: Annotated[str, Query(max_length=500)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Products:
    """Return a page of products."""
    rows, following = await desk.stored(desk.deps.store.list_products, cursor, limit)
    return Products(rows=tuple(rows), next_cursor=following)


@router.post(
    "/products",
    status_code=201,
    operation_id="create_product",
    summary="Add a product",
    openapi_extra=KEY,
)
async def create_product(body: Product, _: Stocker, desk: AtDesk) -> Product:
    """Add a product; one that exists is refused."""
    if await _product(desk, body.sku):
        raise Problem(409, "exists", f"There is a product {body.sku} already.")
    await desk.stored(desk.deps.store.save_product, body)
    return body


@router.get("/products/{sku}", operation_id="get_product", summary="One product")
async def get_product(sku: Sku, _: StockReader, desk: AtDesk) -> Product:
    """Return one product."""
    found = await _product(desk, sku)
    if found is None:
        raise not_found("product")
    return found


@router.put("/products/{sku}", operation_id="put_product", summary="Write a product")
async def put_product(sku: Sku, body: Product, _: Stocker, desk: AtDesk) -> Product:
    """Create or replace a product."""
    if body.sku != sku:
        raise Problem(422, "invalid_request", "The SKU in the body is not the one in the path.")
    await desk.stored(desk.deps.store.save_product, body)
    return body


@router.delete(
    "/products/{sku}", status_code=204, operation_id="retire_product", summary="Switch off"
)
async def retire_product(sku: Sku, _: Stocker, desk: AtDesk) -> Response:
    """Switch a product off; orders that have it go on."""
    found = await _product(desk, sku)
    if found is None:
        raise not_found("product")
    await desk.stored(desk.deps.store.save_product, found.model_copy(update={"active": False}))
    return Response(status_code=204)


async def _location(desk: Desk, code: str) -> Location | None:
    rows = await desk.stored(desk.deps.store.locations)
    return next((one for one in rows if one.code == code), None)


async def _product(desk: Desk, sku: str) -> Product | None:
    return (await desk.stored(desk.deps.store.products, [sku])).get(sku)
