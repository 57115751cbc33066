// Reads [[principal, its statements, the resource's statements, action, resource, {condition key: values}], …] and prints,
// for each, whether both let it through: by an IAM simulator that nobody here wrote (npm's @cloud-copilot/iam-simulate).
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const none = { serviceControlPolicies: [], resourceControlPolicies: [] };
const document = (Statement) => ({ Version: "2012-10-17", Statement });
const answers = [];
for (const [principal, own, theirs, action, arn, contextVariables] of JSON.parse(readFileSync(0, "utf8"))) {
  const request = { principal, action, resource: { resource: arn, accountId: arn.split(":")[4] }, contextVariables };
  const identityPolicies = [{ name: "policy", policy: document(own) }];
  const resourcePolicy = theirs.length ? document(theirs) : undefined;
  const found = await runSimulation({ request, identityPolicies, resourcePolicy, ...none }, {});
  if (found.resultType === "error" || found.ignoredContextKeys?.length) throw new Error(JSON.stringify(found));
  answers.push(found.overallResult === "Allowed");
}
console.log(JSON.stringify(answers));
