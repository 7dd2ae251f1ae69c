/** Draws an SVG, scales it with a native image library on several threads, and describes the outcome. */
const sharp = require("sharp");

function drawing(width, height, colour) {
  const circles = Array.from(
    { length: 24 },
    (_, i) => `<circle cx="${(i * width) / 24}" cy="${height / 2}" r="${5 + i}" fill="${colour}" opacity="0.5"/>`,
  );
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="white"/>${circles.join("")}</svg>`);
}

async function main({ image, colour = "#336699", sizes = [64, 32] }) {
  const original = image ? Buffer.from(image, "base64") : await sharp(drawing(960, 640, colour)).png().toBuffer();
  const thumbnails = await Promise.all(
    sizes.map(async (size) => {
      const { data, info } = await sharp(original)
        .resize(size, size, { fit: "cover" })
        .flatten({ background: "white" })
        .webp({ lossless: true })
        .toBuffer({ resolveWithObject: true });
      const { channels } = await sharp(data).stats();
      return {
        width: info.width,
        height: info.height,
        format: info.format,
        mean: channels.map((c) => Math.round(c.mean)),
        image: data.toString("base64"),
      };
    }),
  );
  return { thumbnails };
}

exports.main = main;
