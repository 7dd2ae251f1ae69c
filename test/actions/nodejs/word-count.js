/** Counts the words of a text and tells the most frequent ones. */
const main = ({ text = "", top = 5 }) => {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu) || [];
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) || 0) + 1);
  const frequent = [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, top)
    .map(([word, count]) => ({ word, count }));
  console.log(`counted ${words.length} words`);
  return { words: words.length, distinct: counts.size, frequent };
};
