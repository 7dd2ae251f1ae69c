/** Builds a product catalogue of several hundred kilobytes of JSON, and reads one back. */
function main({ products = 100, catalogue }) {
  if (catalogue) {
    const total = catalogue.reduce((sum, product) => sum + product.price, 0);
    return { products: catalogue.length, total, last: catalogue[catalogue.length - 1].name };
  }
  const colours = ["rot", "grün", "blau", "gelb", "weiß"];
  return {
    catalogue: Array.from({ length: products }, (_, i) => ({
      id: i,
      name: `Produkt ${i} – ${colours[i % colours.length]}`,
      price: ((i * 7919) % 10000) / 100,
      tags: [`tag${i % 17}`, `tag${i % 23}`],
      description: "Lorem ipsum dolor sit amet, consectetur adipiscing elit. ".repeat(1 + (i % 5)),
      nested: { a: { b: { c: [i, i + 1, i + 2] } } },
    })),
  };
}
