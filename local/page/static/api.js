// Asks the server; throws an Error whose message can be shown.
export async function api(path, body) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, body === undefined ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The local run does not answer. Is it still running?");
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error || `The page's server answered ${answer.status}.`);
  return found;
}
