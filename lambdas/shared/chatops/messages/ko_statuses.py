"""Korean: what services report, in words.

The same keys in the same order as `en_statuses.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

TEXTS: dict[TextKey, str] = {
    # stages of the pipeline
    "stage_build": "빌드",
    "stage_deploy": "배포 작업",
    "stage_rollback": "롤백 작업",
    # what ECS and CodeDeploy call a rollout's status
    "state_queued": "시작 대기 중",
    "state_rolling": "롤아웃 중",
    "state_baking": "배포 후 지켜보는 중",
    "state_ready": "준비 완료, 운영 트래픽 전환 전",
    "state_complete": "✅ 완료",
    "state_stopping": "중단하는 중",
    "state_stopped": "⏹️ 중단됨",
    "state_restoring": "⏪ 롤백 중",
    "state_restored": "⏪ 롤백됨",
    "state_restore_failed": "❌ 롤백 실패",
    "state_failed": "❌ 실패",
    "state_other": "이 봇이 모르는 상태",
    # where a rollout pauses
    "place_prepare": "롤아웃을 시작하기 전",
    "place_before_tasks": "새 태스크를 시작하기 전",
    "place_tasks": "새 태스크를 시작하는 중",
    "place_after_tasks": "테스트 트래픽 전환 전",
    "place_test": "테스트 트래픽 전환 중",
    "place_before_traffic": "운영 트래픽 전환 전",
    "place_traffic": "운영 트래픽 전환 중",
    "place_after_traffic": "운영 트래픽 전환 후",
    "place_bake": "두 버전을 함께 실행하는 중",
    "place_clean": "이전 태스크를 종료하기 전",
    "place_other": "롤아웃 도중",
    # how a run on GitHub ended
    "result_failed": "실패",
    "result_cancelled": "취소됨",
    "result_timed_out": "시간 초과",
    "result_neutral": "결과 없이 끝남",
    "result_skipped": "건너뜀",
    "result_stale": "GitHub에서 중단함",
    "result_action_required": "GitHub에서 승인이 필요함",
    "result_startup": "GitHub에서 시작하지 못함(워크플로 파일 오류)",
    "result_deleted": "GitHub에서 삭제됨",
    "result_never": "시작되지 않음",
    "result_refused": "GitHub에서 거부함",
    "result_other": "성공하지 못하고 끝남",
    # how a deployment ended
    "outcome_deployed": "배포됨",
    "outcome_restored": "롤백 완료",
    "outcome_rolled_back": "실패 후 롤백됨",
    "outcome_build_failed": "빌드 실패",
    "outcome_deploy_failed": "배포되지 않음",
    "outcome_rollback_failed": "롤백 확인 안 됨",
    "outcome_rejected": "거부됨",
    "outcome_expired": "만료됨",
    "outcome_cancelled": "취소됨",
    "outcome_refused": "진행할 수 없음",
    "outcome_stopped": "중단됨",
    # how ECS rolls out
    "strategy_rolling": "롤링",
    "strategy_blue_green": "블루/그린",
    "strategy_linear": "선형",
    "strategy_canary": "카나리",
    # lists of people
    "people_or": "{people}, {last}",
}
