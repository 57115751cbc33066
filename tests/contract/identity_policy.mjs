// Reads [[statements, action, resource, {condition key: value}], …] and prints, for each, whether the statements let a
// principal of the account do that: by an IAM simulator that nobody here wrote (npm's @cloud-copilot/iam-simulate). It
// also refuses actions, resources and condition keys that AWS does not know together.
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const principal = "arn:aws:iam::123456789012:role/asks";
const none = { serviceControlPolicies: [], resourceControlPolicies: [] };
const answers = [];
for (const [Statement, action, arn, contextVariables] of JSON.parse(readFileSync(0, "utf8"))) {
  const resource = { resource: arn, accountId: "123456789012" };
  const identityPolicies = [{ name: "policy", policy: { Version: "2012-10-17", Statement } }];
  const found = await runSimulation({ request: { principal, action, resource, contextVariables }, identityPolicies, ...none }, {});
  if (found.resultType === "error" || found.ignoredContextKeys?.length)
    throw new Error(JSON.stringify([action, arn, contextVariables, found]));
  answers.push(found.overallResult === "Allowed");
}
console.log(JSON.stringify(answers));
