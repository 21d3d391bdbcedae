// A field of JSON: its lines are numbered, the one that is wrong is marked, Tab indents.
(() => {
  const INDENT = "  ";
  const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
  const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
  const BLANK = /[ \t\n\r]*/y;

  // The same JSON with indents, every value as it was written. Throws {at, problem}.
  function formatted(text) {
    let at = 0;

    function taken(pattern) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found) at += found[0].length;
      return found && found[0];
    }

    function next(sign) {
      taken(BLANK);
      if (text[at] !== sign) return false;
      at += 1;
      return true;
    }

    function fail(problem) {
      throw { at, problem: at < text.length ? problem : "the text ends too early" };
    }

    function inside(level, end, one) {
      if (next(end)) return end === "}" ? "{}" : "[]";
      const parts = [];
      do {
        const comma = at - 1;
        taken(BLANK);
        if (parts.length && text[at] === end) {
          at = comma;
          fail("there is a comma too many");
        }
        parts.push(INDENT.repeat(level + 1) + one());
      } while (next(","));
      if (!next(end)) fail(`expected “,” or “${end}”`);
      return `${end === "}" ? "{" : "["}\n${parts.join(",\n")}\n${INDENT.repeat(level)}${end}`;
    }

    function value(level) {
      if (level > 100) fail("this is nested too deep");
      if (next("[")) return inside(level, "]", () => value(level + 1));
      if (next("{")) {
        return inside(level, "}", () => {
          const name = taken(STRING) || fail("expected a name in double quotes");
          if (!next(":")) fail("expected “:” after the name");
          return `${name}: ${value(level + 1)}`;
        });
      }
      return taken(STRING) || taken(PLAIN) || fail("expected a value");
    }

    const whole = value(0);
    taken(BLANK);
    if (at < text.length) fail("nothing may follow the end");
    return whole;
  }

  function faultIn(text) {
    try {
      formatted(text);
      return null;
    } catch (fault) {
      if (fault.at === undefined) throw fault;
      const before = text.slice(0, fault.at).split("\n");
      return { line: before.length, column: before.at(-1).length + 1, ...fault };
    }
  }

  function write(text) {
    // As if it was typed, so that it can be undone.
    document.execCommand("insertText", false, text);
  }

  function install(field) {
    const lines = field.parentElement.querySelector(".editor-lines");
    const state = document.getElementById(`${field.id}_state`);
    const told = document.getElementById(`${field.id}_error`);
    let leaves = false;
    let waiting;

    function number() {
      const count = field.value.split("\n").length;
      while (lines.children.length < count) {
        lines.append(Object.assign(document.createElement("span"), {
          textContent: lines.children.length + 1,
        }));
      }
      while (lines.children.length > count) lines.lastChild.remove();
      lines.scrollTop = field.scrollTop;
    }

    function mark(line) {
      for (const one of lines.querySelectorAll(".is-wrong")) one.classList.remove("is-wrong");
      lines.children[line - 1]?.classList.add("is-wrong");
    }

    function check() {
      const fault = field.value.trim() ? faultIn(field.value) : null;
      mark(fault ? fault.line : 0);
      state.textContent = fault
        ? `Line ${fault.line}, column ${fault.column}: ${fault.problem}.`
        : "";
    }

    field.addEventListener("input", () => {
      number();
      mark(0);
      clearTimeout(waiting);
      waiting = setTimeout(check, 400);
    });
    field.addEventListener("scroll", () => { lines.scrollTop = field.scrollTop; });
    field.addEventListener("blur", () => { leaves = false; });
    field.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
      if (event.key === "Tab" && !leaves) {
        event.preventDefault();
        write(INDENT);
      } else if (event.key === "Enter") {
        const before = field.value.slice(0, field.selectionStart);
        const start = /[ \t]*/.exec(before.slice(before.lastIndexOf("\n") + 1))[0];
        event.preventDefault();
        write(`\n${start}${/[[{]$/.test(before) ? INDENT : ""}`);
      }
      leaves = event.key === "Escape" || (event.key === "Tab" && leaves);
    });

    number();
    if (told?.dataset.line) {
      const line = Number(told.dataset.line);
      const starts = field.value.split("\n").slice(0, line - 1);
      const at = starts.reduce((sum, one) => sum + one.length + 1, 0);
      const place = at + Number(told.dataset.column) - 1;
      mark(line);
      field.focus();
      field.setSelectionRange(place, place);
    }
  }

  for (const field of document.querySelectorAll("[data-editor]")) install(field);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-format]");
    if (!button) return;
    const field = document.getElementById(button.dataset.format);
    const fault = faultIn(field.value);
    field.focus();
    if (fault) {
      field.setSelectionRange(fault.at, fault.at);
      field.dispatchEvent(new Event("input"));
    } else {
      const text = formatted(field.value);
      field.select();
      write(text);
      field.setSelectionRange(0, 0);
      field.scrollTop = 0;
    }
  });
})();
