"""Checks bookings against a typed model whose core is compiled Rust."""
from datetime import date

from pydantic import BaseModel, Field, ValidationError, model_validator


class Booking(BaseModel):
    guest: str = Field(min_length=1)
    arrival: date
    departure: date
    beds: int = Field(gt=0, le=4)

    @model_validator(mode="after")
    def in_order(self):
        if self.departure <= self.arrival:
            raise ValueError("leaves before arriving")
        return self


def main(args):
    accepted, refused = [], []
    for raw in args["bookings"]:
        try:
            booking = Booking.model_validate(raw)
            accepted.append({"guest": booking.guest, "nights": (booking.departure - booking.arrival).days})
        except ValidationError as problem:
            refused.append([f"{'.'.join(map(str, e['loc'])) or '-'}: {e['type']}" for e in problem.errors()])
    return {"accepted": accepted, "refused": refused}
