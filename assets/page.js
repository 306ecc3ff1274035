// When a stored text is opened, bring its marked sentence into view. Installed once; touches nothing else.
if (!window.bioloomMarks) {
  window.bioloomMarks = true;
  document.addEventListener("toggle", (event) => {
    const box = event.target.open && event.target.querySelector(".bl-text");
    const mark = box && box.querySelector("mark");
    if (mark) box.scrollTop = mark.offsetTop - box.offsetTop - box.clientHeight / 3;
  }, true);
}
