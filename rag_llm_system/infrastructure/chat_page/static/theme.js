// Sets the remembered theme before the first paint; a module would come after it, with a flash of the other one.
"use strict";
try {
  const theme = localStorage.getItem("rag.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is switched off: the system's theme it is
}
