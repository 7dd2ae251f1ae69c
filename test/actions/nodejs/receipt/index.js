/** Writes a receipt as a PDF and reads it again. */
const { PDFDocument, StandardFonts, rgb } = require("pdf-lib");

exports.main = async ({ number, date, lines }) => {
  const doc = await PDFDocument.create();
  doc.setTitle(`Receipt ${number}`);
  doc.setCreationDate(new Date(date));
  doc.setModificationDate(new Date(date));
  const font = await doc.embedFont(StandardFonts.Helvetica);
  const page = doc.addPage([420, 595]);
  lines.forEach(({ text, amount }, i) => {
    page.drawText(`${text}: ${amount.toFixed(2)}`, { x: 40, y: 540 - i * 20, size: 12, font, color: rgb(0, 0, 0.4) });
  });
  const bytes = await doc.save();
  const again = await PDFDocument.load(bytes, { updateMetadata: false });
  return {
    title: again.getTitle(),
    pages: again.getPageCount(),
    created: again.getCreationDate().toISOString(),
    pdf: Buffer.from(bytes).toString("base64"),
  };
};
