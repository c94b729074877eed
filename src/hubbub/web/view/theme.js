// How the page looks, before anything is shown. Not a module: it has to come first.
(() => {
  try {
    const theme = localStorage.getItem("hubbub.theme");
    if (theme) document.documentElement.dataset.theme = theme;
  } catch {
    /* storage is forbidden: as the system has it */
  }
})();
