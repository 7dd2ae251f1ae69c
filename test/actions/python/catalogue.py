"""Builds a product catalogue of several hundred kilobytes of JSON, and reads one back."""
COLOURS = ["rot", "grün", "blau", "gelb", "weiß"]


def main(args):
    if "catalogue" in args:
        catalogue = args["catalogue"]
        return {"products": len(catalogue), "total": sum(p["price"] for p in catalogue), "last": catalogue[-1]["name"]}
    return {
        "catalogue": [
            {
                "id": i,
                "name": f"Produkt {i} – {COLOURS[i % 5]} 🎈",
                "price": (i * 7919) % 10000 / 100,
                "tags": [f"tag{i % 17}", f"tag{i % 23}"],
                "description": "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * (1 + i % 5),
                "nested": {"a": {"b": {"c": [i, i + 1, i + 2]}}},
            }
            for i in range(args.get("products", 100))
        ]
    }
