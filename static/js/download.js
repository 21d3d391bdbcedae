// Buttons that save vectors: data-download-from is the id of the element with the API's answer.
(() => {
  const KINDS = { json: "application/json", csv: "text/csv" };

  // One vector on each line, as numpy.loadtxt(name, delimiter=",") reads it.
  function toCsv(answer) {
    const [rows] = Object.values(JSON.parse(answer));
    return rows.map((row) => row.embedding.join(",")).join("\n") + "\n";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-download]");
    if (!button) return;
    const kind = button.dataset.download;
    const answer = document.getElementById(button.dataset.downloadFrom).textContent;
    const file = new Blob([kind === "csv" ? toCsv(answer) : answer], { type: KINDS[kind] });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${button.dataset.downloadName}.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
  });
})();
