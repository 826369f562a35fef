// The least a page can do: one stream, one text per changed cell.
new EventSource("/changes/script").onmessage = (message) => {
  for (const [id, text] of Object.entries(JSON.parse(message.data))) document.getElementById(id).firstElementChild.textContent = text;
};
