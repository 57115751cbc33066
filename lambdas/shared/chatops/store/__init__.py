"""The one table: locks, deployments, approvals, stages and tickets, waits, releases, messages.

| pk | sk | what |
|---|---|---|
| `TARGET#<target>` | `LOCK` | who holds the target |
| `TARGET#<target>` | `DEPLOY#<time>#<id>` | the target's deployments in time order |
| `TARGET#<target>` | `RELEASE#<time>#<id>` | releases verified healthy; never expire |
| `TARGET#<target>` | `LEFT#<commit>` | a release that was rolled back from |
| `TARGET#<target>` | `LEDGER` | how many of the target's deployments have ended |
| `TARGET#<target>` | `FREEZE` | who has locked it by hand, and until when |
| `TARGET#<target>` | `LOCKING#<time>#<delivery>` | who has locked and unlocked it, in time order |
| `TARGET#<target>` | `LENGTHS#<stage>` | how long the last runs of a stage took that report nothing |
| `DEPLOYMENT#<id>` | `RECORD` | what was planned and how it ended |
| `DEPLOYMENT#<id>` | `APPROVAL`, `CANCEL` | what people decided |
| `DEPLOYMENT#<id>` | `PAUSE#<mark>` | a pause of its rollout, whom it asks, and what they decided |
| `DEPLOYMENT#<id>` | `STAGE#<stage>` | a stage's ticket and run |
| `DEPLOYMENT#<id>` | `RESULT#<phase>` | what a phase has come to |
| `DEPLOYMENT#<id>` | `WAIT` | the wake counter and the token that wakes the execution |
| `DEPLOYMENT#<id>` | `MESSAGE` | where its Slack message is |
| `TICKET#<hash>` | `TICKET` | which stage a ticket opens; expires |
| `DELIVERY#<id>` | `MEANT` | what a command meant that names no deployment, and what a lock was answered; expires |
| `PERSON#<user>` | `STANDING` | whether Slack says that somebody is a member, and the name; expires |
| `PAGES` | `KEY#<week>` | what signs the links to deployments' pages; expires |
| `WORKSPACE#<token>` | `WORKSPACE` | the app's own workspace, by a hash of the bot's token; expires |
| `OPEN` | `<id>` | deployments without an outcome, for `sweep` |
| `OUTBOX` | `<id>` | final messages that Slack has not taken yet |
| `NEWS` | `<id>#<kind>#<mark>` | events that EventBridge has not taken yet |
| `GITHUB` | `BUDGET#<token or installation>` | what is left of GitHub's rate limit, and the end of its pause; expires |
| `GITHUB` | `DEPLOYMENT#<id>` | what GitHub shows of a deployment, until it shows the end |
| `SWEEP` | `<phase>` | where a sweep that had no time for everything has stopped |
"""
