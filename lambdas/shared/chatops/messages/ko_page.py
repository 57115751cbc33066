"""Korean: a deployment's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

TEXTS: dict[TextKey, str] = {
    "page_title": "배포",
    "page_progress": "진행 상황",
    "page_timeline": "타임라인",
    "page_details": "상세 정보",
    "page_runs": "GitHub 실행",
    "page_console": "Step Functions에서 열기",
    "page_loading": "불러오는 중…",
    "page_gone": "표시할 내용이 없습니다. 링크가 만료되었거나 일부가 빠졌습니다. 링크는 배포가 끝나고 7일이 지나면 만료됩니다. 전체 링크는 Slack의 배포 메시지에 있습니다.",
    "page_lost": "연결이 끊겼습니다. 다시 시도하는 중…",
    "page_script": "이 페이지를 보려면 JavaScript가 필요합니다.",
    "page_plan": "계획",
    "page_build": "빌드",
    "page_approval": "승인",
    "page_deploy": "배포",
    "page_rollout": "롤아웃",
    "page_rollback": "롤백",
    "page_done": "완료",
    "page_is_done": "완료",
    "page_is_current": "진행 중",
    "page_is_failed": "실패",
    "page_is_stopped": "중단됨",
    "page_is_waiting": "시작 전",
    "page_is_skipped": "진행하지 않음",
    "page_asked": "{user} 님이 `{version}` 버전을 *{target}* 환경에 배포하도록 요청",
    "page_asked_rollback": "{user} 님이 *{target}* 환경을 `{version}` 버전으로 롤백하도록 요청",
    "page_began": "{phase} {run} 시작",
    "page_vote": "{by} 님이 승인",
    "page_rejected": "{by} 님이 {took} 만에 거부{reason}",
    "page_expired": "{took} 동안 아무도 결정하지 않음",
    "page_paused": "{where} 일시 정지",
    "page_cancelled": "{by} 님이 취소",
    "page_superseded": "{by} 님이 롤백을 요청해 롤백을 먼저 진행",
}
