/** Pages near the root come first. */
export const score = (page) => 100 - 10 * (page.split("/").length - 1) - (page.length % 10);
