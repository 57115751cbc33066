"""한국어: 멈춘 롤아웃에 대한 말. 키와 순서는 en_pauses.py와 같습니다."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

TEXTS: dict[TextKey, str] = {
    "title_paused": "승격 필요: {version} → {target}",
    "field_strategy": "*전략*\n`{strategy}`",
    "field_strategy_traffic": "*전략*\n`{strategy}` · 트래픽 {traffic}",
    "pause_at": "`{stage}` 단계",
    "pause_at_traffic": "`{stage}` 단계(트래픽 {traffic})",
    "line_paused": "{where}에서 멈췄습니다. {people} 님의 승격 또는 롤백을 기다리는 중",
    "line_pause_promoted": "{by} 님이 {where}에서 승격했습니다({took})",
    "line_pause_passed": "{where}에서 봇 밖에서 계속되었습니다({took})",
    "line_pause_expired": "{took} 동안 {where}에서 아무도 결정하지 않았습니다",
    "line_pause_rolled_back": "{by} 님이 {where}에서 롤백했습니다({took})",
    "promote": "승격",
    "confirm_promote_title": "승격할까요?",
    "confirm_promote_text": "{target} 대상의 {version} 롤아웃이 여기서부터 계속됩니다.",
    "confirm_pause_text": "{version} 롤아웃을 여기서 멈추고 {target} 대상을 {before} 버전으로 되돌립니다.",
    "promotion_ping": "{people}: `{version}` → *{target}* 배포가 {where}에서 멈췄습니다. {deadline}까지 승격하거나 롤백해 주세요. 그 뒤에는 {then}.",
    "promotion_then_rollback": "롤백됩니다",
    "promotion_then_continue": "ECS에서 스스로 계속합니다",
    "promotion_reminder": "{people}: `{version}` → *{target}* 배포가 아직 {where}에서 승격 또는 롤백을 기다립니다. 남은 시간: {left}.",
    "end_pause_restored": "{user} 님이 {where}에서 `{version}` 배포를 롤백했습니다(멈춘 지 {waited} 뒤). *{target}* 대상이 다시 `{before}` 버전으로 운영되는 것을 확인했습니다({took}).",
    "end_unpromoted": "{waited} 동안 {where}에서 아무도 `{version}` 배포를 승격하지 않아 롤백했습니다. *{target}* 대상이 다시 `{before}` 버전으로 운영되는 것을 확인했습니다({took}). 다시 요청하려면: `/platform-deploy {version} {target}`.",
    "click_not_promoter": "`{id}` 배포는 {people} 님만 승격할 수 있습니다.",
    "click_not_your_pause": "`{id}` 배포는 {people} 님과 {user} 님만 롤백할 수 있습니다.",
    "click_promote_own": "본인이 요청했고 아직 다른 사람이 승인하지 않은 `{id}` 배포입니다. {people} 님의 결정을 기다립니다.",
    "click_promoted": "`{id}` 배포를 승격했습니다. 롤아웃이 계속됩니다.",
    "click_pause_rolled_back": "`{id}` 배포를 롤백했습니다. 어떻게 끝나는지는 메시지에 표시됩니다.",
    "click_pause_expired": "`{id}` 배포는 제때 결정되지 않았습니다. 이 멈춤은 {ago} 전에 끝났습니다.",
    "click_pause_passed": "`{id}` 배포의 이 멈춤은 {ago} 전에 끝났습니다. 봇 밖에서 계속되었습니다.",
    "decision_promoted": "승격",
    "decision_rolled_back": "롤백",
}
