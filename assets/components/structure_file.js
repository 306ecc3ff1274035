// Hands the library and one structure to the page, once: what is clicked later need not send them again.
export default function ({ data }) {
  const shelf = (window.bioloomStructures ??= new Map());
  shelf.delete(data.id);
  shelf.set(data.id, data);
  while (shelf.size > 6) shelf.delete(shelf.keys().next().value);
  window.dispatchEvent(new CustomEvent("bioloom:structure", { detail: data.id }));
}
