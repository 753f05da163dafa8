"""A packed parcel."""

from domain.frozen import Wire


class Parcel(Wire):
    """A packed parcel: grams and millimetres."""

    weight_grams: int
    length_mm: int = 300
    width_mm: int = 200
    height_mm: int = 100
