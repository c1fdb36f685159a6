"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const checks = all("details.check"), boxes = all("#tiles input");
  const words = new Map(checks.map((c) => [c, all("summary, .block", c).filter((e) => e.parentElement === c).map((e) => e.textContent).join(" ").toLowerCase()]));

  document.documentElement.classList.add("js");
  $("filter").hidden = false;

  function apply() {
    const verdicts = new Set(boxes.filter((b) => b.checked).map((b) => b.value));
    const spec = $("spec").value, terms = $("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const c of checks) {
      const fits = (!verdicts.size || verdicts.has(c.dataset.verdict)) &&
        (!spec || c.closest(".spec").dataset.spec === spec) && terms.every((t) => words.get(c).includes(t));
      c.hidden = !fits;
      shown += fits;
    }
    for (const s of all(".sec").concat(all(".spec"))) s.hidden = !s.querySelector("details.check:not([hidden])");
    $("shown").textContent = shown === checks.length ? `${shown} checks` : `${shown} of ${checks.length} checks`;
    $("none").hidden = shown > 0;
    $("toggle").textContent = visible().every((c) => c.open) ? "Close all" : "Open all";
  }
  const visible = () => checks.filter((c) => !c.hidden);

  function reveal() { // a link to a check opens it, whatever the filter hides
    const target = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details.check, h3")) return;
    if (target.closest("[hidden]")) { $("filter").reset(); boxes.forEach((b) => b.checked = false); apply(); }
    if (target.matches("details")) target.open = true;
    target.scrollIntoView();
  }

  for (const b of boxes) b.addEventListener("change", apply);
  $("filter").addEventListener("input", apply);
  $("filter").addEventListener("submit", (e) => e.preventDefault());
  $("filter").addEventListener("reset", () => { boxes.forEach((b) => b.checked = false); setTimeout(apply); });
  $("toggle").addEventListener("click", () => {
    const open = !visible().every((c) => c.open);
    for (const c of visible()) c.open = open;
    apply();
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !e.ctrlKey && !e.metaKey && !/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
      e.preventDefault();
      $("text").focus();
    }
  });
  for (const box of all(".copyable")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the command");
    button.addEventListener("click", async () => {
      const code = box.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    box.append(button);
  }
  addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
