// Reads [[principal, trust policy, claims of a token], …] and prints, for each, whether the policy lets the token in: by an
// IAM simulator that nobody here wrote (npm's @cloud-copilot/iam-simulate). Its list of condition keys lacks `sub`
// and `aud` of GitHub's provider, so they go by names that it has: the operators do not care.
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const KEY = "token.actions.githubusercontent.com:";
const renamed = (text) => text.replaceAll(`${KEY}sub"`, `${KEY}workflow"`).replaceAll(`${KEY}aud"`, `${KEY}actor"`);
const resource = { resource: "arn:aws:iam::123456789012:role/pipeline", accountId: "123456789012" };
const none = { identityPolicies: [], serviceControlPolicies: [], resourceControlPolicies: [] };
const answers = [];
for (const [principal, resourcePolicy, contextVariables] of JSON.parse(renamed(readFileSync(0, "utf8")))) {
  const request = { principal, action: "sts:AssumeRoleWithWebIdentity", resource, contextVariables };
  const found = await runSimulation({ request, resourcePolicy, ...none }, {});
  if (found.resultType === "error" || found.ignoredContextKeys?.length) throw new Error(JSON.stringify(found));
  answers.push(found.overallResult === "Allowed");
}
console.log(JSON.stringify(answers));
