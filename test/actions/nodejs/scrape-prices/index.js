/** Takes the prices out of a shop's page. */
const cheerio = require("cheerio");

exports.main = ({ html }) => {
  const $ = cheerio.load(html);
  const prices = $("tr.product")
    .map((_, row) => ({
      name: $(row).find("td.name").text().trim(),
      price: Number($(row).find("td.price").text().replace(",", ".").replace(/[^\d.]/g, "")),
      link: $(row).find("a").attr("href"),
    }))
    .get();
  return { title: $("title").text(), prices, cheapest: prices.reduce((a, b) => (b.price < a.price ? b : a)).name };
};
