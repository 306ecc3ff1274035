// When a stored text is opened, bring its marked sentence into view; save a figure as SVG or PNG through Plotly's own export.
// Installed once; asks nothing of any server.
if (!window.bioloomPage) {
  window.bioloomPage = true;
  document.addEventListener("toggle", (event) => {
    const box = event.target.open && event.target.querySelector(".bl-text");
    const mark = box && box.querySelector("mark");
    if (mark) box.scrollTop = mark.offsetTop - box.offsetTop - box.clientHeight / 3;
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-save]");
    if (!button) return;
    // the figure that stands last before the button
    const before = (plot) => plot.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING;
    const plot = [...document.querySelectorAll(".js-plotly-plot")].filter(before).pop();
    const own = plot && [...plot.querySelectorAll(".modebar-btn")].pop();
    if (!own || !plot._context) return;
    const { save, name } = button.dataset;
    plot._context.toImageButtonOptions = { format: save, filename: name, scale: save === "png" ? 3 : 1 };
    own.click();
  });
}
