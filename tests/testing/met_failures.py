"""Upstreams' failures as they were met, and what becomes of each."""

import json

REASON = "Voice 'alloy' is not available"
SHAPES = {
    "OpenAI": {"error": {"message": REASON, "type": "t", "param": None, "code": None}},
    "a text in error": {"error": REASON},
    "a name in error": {"error": "validation_error", "message": REASON},
    "flat": {"message": REASON},
    "flat, with a code": {"object": "error", "message": REASON, "type": "BadRequest", "code": 400},
    "FastAPI": {"detail": REASON},
    "an object in detail": {"detail": {"message": REASON}},
    "a name in detail": {"detail": {"error": "validation_error", "message": REASON}},
    "an error in detail": {"detail": {"error": {"message": REASON}}},
    "a text in detail's error": {"detail": {"error": REASON}},
    "pydantic": {"detail": [{"type": "v", "loc": ["body", "voice"], "msg": REASON, "input": "x"}]},
    "Gemini": [{"error": {"code": 400, "message": REASON, "status": "INVALID_ARGUMENT"}}],
    "an error in a message": {"error": {"message": {"error": {"message": REASON}}}},
    "Cloudflare": {"result": None, "success": False, "errors": [{"code": 7009, "message": REASON}]},
    "MiniMax": {"choices": None, "base_resp": {"status_code": 1004, "status_msg": REASON}},
    "DeepInfra": {"choices": None, "error_type": "BadRequestError", "error_message": REASON},
    "Baidu": {"error_code": 336003, "error_msg": REASON, "id": "as-x"},
    "AWS": {"errorMessage": REASON, "errorType": "Runtime.ExitError"},
    "OAuth": {"error": "invalid_request", "error_description": REASON},
    "a text in error, with details": {"error": REASON, "details": "403, url='wss://x.example/y'"},
    "details": {"code": "unexpected", "details": REASON},
    "JSON in a text": {"error": {"message": json.dumps({"error": {"message": REASON}}, indent=2)}},
    "brackets in a text": {"error": {"message": f"{REASON} [in {{}}]"}},
    "a text in brackets": {"error": {"message": f"[{REASON}]"}},
    "JSON that says nothing": {"error": {"message": json.dumps({"x": REASON})}},
    "RFC 9457": {"type": "about:blank", "title": REASON, "status": 400},
    "RFC 9457, with detail": {"title": "Bad Request", "status": 400, "detail": REASON},
    "ASP.NET": {"title": "Validation failed.", "status": 400, "errors": {"voice": [REASON]}},
    "JSON:API, with a page": {"errors": [{"title": REASON, "detail": "<!DOCTYPE html><p>x</p>"}]},
    "Apigee": {"fault": {"faultstring": REASON, "detail": {"errorcode": "x"}}},
    "API Gateway": {"Message": REASON},
    "a reason": {"error": {"type": "bad_request", "reason": REASON}},
    "blanks beside it": {"error": {"message": "", "type": "", "code": None}, "message": REASON},
    "a description": {"error": {"description": REASON}},
    "OpenRouter": {
        "error": {
            "message": "Provider returned error",
            "code": 400,
            "metadata": {"raw": json.dumps({"error": {"message": REASON}}), "provider_name": "X"},
        }
    },
    "OpenRouter, a text": {"message": "Provider returned error", "metadata": {"raw": REASON}},
    "OpenRouter, an object": {
        "error": {"message": "No.", "metadata": {"raw": {"error": {"message": REASON}}}}
    },
}

TEXTS = [
    (REASON, True),
    (f" {REASON}\n", True),
    ("404 page not found", True),
    (f"<html>{REASON}</html>", False),
    (f"\n <html>{REASON}</html>", False),
    (f'{{"error": {{"message": "{REASON}', False),
    (f"{REASON}\0", False),
    (" null\n", False),
]
"""Bodies that are no JSON, and whether they are told."""

CODES = [
    (429, "rate_limited", 3, 500),
    ("429", "rate_limited", 3, 500),
    ("502", "upstream_unavailable", 3, 500),
    (504, "upstream_timeout", 3, 500),
    (400, "upstream_rejected", 1, 400),
    (402, "quota_exhausted", 1, 500),
    (401, "api_key_rejected", 1, 401),
    (501, "upstream_rejected", 1, 400),
    (200, "upstream_malformed", 1, 500),
    ("1500", "upstream_malformed", 1, 500),
    (600, "upstream_malformed", 1, 500),
    ("no_such_code", "upstream_malformed", 1, 500),
    ("budget_exceeded", "quota_exhausted", 1, 500),
    ({"http_status_code": 422}, "upstream_rejected", 1, 400),
    ({"code": "INTERNAL_SERVER_ERROR", "status": 500}, "upstream_unavailable", 3, 500),
    ({"code": None, "statusCode": "503"}, "upstream_unavailable", 3, 500),
    ({"type": "x", "status_code": 429}, "rate_limited", 3, 500),
    ({"code": 400, "status": 500}, "upstream_rejected", 1, 400),
    ({"status": "UNAVAILABLE"}, "upstream_malformed", 1, 500),
    ({"timeout": 500}, "upstream_malformed", 1, 500),
    ({"error_code": 503}, "upstream_unavailable", 3, 500),
    ({"error_type": "model_not_ready"}, "upstream_malformed", 1, 500),
]
"""A code, or the fields in which the status stands, and what becomes of it under 200."""

NO_MONEY = "You have run out of credits"
NO_QUOTA = ("quota_exhausted", 1, 500)
STATUSES = [
    (429, {"message": "Slow down."}, {}, "rate_limited", 3, 500),
    (429, {"message": "Slow down.", "type": "budget_exceeded"}, {}, "quota_exhausted", 1, 500),
    (400, {"message": "Budget was exceeded!", "type": "budget_exceeded"}, {}, *NO_QUOTA),
    (429, {"message": "x", "type": "insufficient_quota"}, {}, "quota_exhausted", 1, 500),
    (429, {"message": "x", "code": "INSUFFICIENT_QUOTA"}, {}, "quota_exhausted", 1, 500),
    (402, {"message": NO_MONEY, "code": 402}, {}, "quota_exhausted", 1, 500),
    (402, {"message": NO_MONEY}, {"Retry_After": "1"}, "quota_exhausted", 1, 500),
    (429, {"message": NO_MONEY}, {}, "quota_exhausted", 1, 500),
    (429, {"message": "You exceeded your current quota, check your plan."}, {}, *NO_QUOTA),
    (429, {"message": "Max budget limit reached."}, {}, "quota_exhausted", 1, 500),
    (429, {"message": NO_MONEY}, {"x_should_retry": "true"}, "quota_exhausted", 1, 500),
    (429, {"message": NO_MONEY}, {"Retry_After": "0"}, "rate_limited", 3, 500),
    (429, {"message": NO_MONEY}, {"retry_after_ms": "1"}, "rate_limited", 3, 500),
    (429, {"message": "Quota exceeded. Please retry in 0.01s."}, {}, "rate_limited", 3, 500),
    (429, {"message": "Out of quota; try again in 20s"}, {}, "rate_limited", 3, 500),
    (429, {"message": "Your budget resets at midnight."}, {}, "rate_limited", 3, 500),
    (
        429,
        {"message": "Quota exceeded.", "details": [{"retryDelay": "26s"}]},
        {},
        "rate_limited",
        3,
        500,
    ),
    (429, {"message": "Credits refresh in 3 hours."}, {}, "rate_limited", 3, 500),
    (429, {"message": "Out of quota. Come back in one hour."}, {}, "rate_limited", 3, 500),
    (429, {"message": "Quota exceeded. Please retry shortly."}, {}, "rate_limited", 3, 500),
    (429, {"message": "Quota: 50 requests a day. Try again later."}, {}, *NO_QUOTA),
    (429, {"message": "Your spending limit is reached."}, {}, *NO_QUOTA),
    (429, {"message": "Quota of tokens per min is exceeded."}, {}, "rate_limited", 3, 500),
    (
        429,
        {"message": "Requests per second limit exceeded.", "code": "request_quota_exceeded"},
        {},
        "rate_limited",
        3,
        500,
    ),
    (429, {"message": "Your account is not active.", "code": "billing_not_active"}, {}, *NO_QUOTA),
    (429, {"message": "No credentials were used."}, {}, "rate_limited", 3, 500),
    (429, {"message": "Insufficient balance. Recharge.", "code": "1113"}, {}, *NO_QUOTA),
    (429, {"message": "Your paid balance is too low.", "isRetryable": True}, {}, *NO_QUOTA),
    (429, {"message": "余额不足或无可用资源包,请充值。"}, {}, *NO_QUOTA),
    (429, {"message": "您的额度已用完。"}, {}, *NO_QUOTA),
    (429, {"message": "您的额度已用完,请 30 秒后重试。"}, {}, "rate_limited", 3, 500),
    (429, {"message": "free-models-per-day-high-balance."}, {}, "rate_limited", 3, 500),
    (429, {"message": "The load balancer is busy."}, {}, "rate_limited", 3, 500),
    (501, {"message": "Speech is not implemented."}, {}, "upstream_rejected", 1, 400),
    (501, {"message": "Not implemented."}, {"x_should_retry": "true"}, "upstream_rejected", 1, 400),
    (
        500,
        {"message": "CUDA out of memory. Tried to allocate 2.00 GiB."},
        {},
        "upstream_unavailable",
        3,
        500,
    ),
    (503, {"message": "The model is loading."}, {}, "upstream_unavailable", 3, 500),
    (504, {"message": "The gateway waited too long."}, {}, "upstream_timeout", 3, 500),
    (401, {"message": "The token has expired."}, {}, "api_key_rejected", 1, 401),
    (403, {"message": "Your plan has no speech."}, {}, "api_key_rejected", 1, 401),
    (422, {"message": "The voice is not one of these."}, {}, "upstream_rejected", 1, 400),
]

ADDRESSES = [
    "Connection to 10.0.0.7 refused",
    "Could not reach http://vllm:8000/v1",
    "redis.internal does not answer",
    "FileNotFoundError: /models/kokoro/af_heart.pt",
    "HTTPConnectionPool(host='vllm', port=8000): Max retries exceeded",
    "connect to vllm:8000 failed",
    "connect to fd00::1 failed",
    "C:\\models\\kokoro was not found",
]
NO_ADDRESSES = [
    "litellm.InternalServerError: OpenAIException - Connection error.",
    "torch.OutOfMemoryError: CUDA out of memory. Tried 2.5 GiB and/or more",
    "The model Qwen/Qwen2.5-7B is loading (e.g. for 20 s)",
]

# What a Realtime session sends when it is asked to speak.
SESSIONS = {
    "OpenAI's": (
        {"type": "error", "error": {"type": "server_error", "message": "Busy."}},
        "upstream_unavailable",
        3,
    ),
    "a code": (
        {"type": "error", "error": {"code": 429, "message": "Slow down."}},
        "rate_limited",
        3,
    ),
    "a code as a text": (
        {"type": "error", "error": {"code": "503", "message": "Loading."}},
        "upstream_unavailable",
        3,
    ),
    "a text": ({"type": "error", "error": "No such voice."}, "upstream_malformed", 1),
    "flat": ({"type": "error", "code": 400, "message": "No such voice."}, "upstream_rejected", 1),
    "detail": ({"type": "error", "detail": "No such voice."}, "upstream_malformed", 1),
    "without a type": ({"error": {"message": "No such voice."}}, "upstream_malformed", 1),
    "a failed response": (
        {
            "type": "response.done",
            "response": {
                "status": "failed",
                "status_details": {"error": {"code": 402, "message": "No credits."}},
            },
        },
        "quota_exhausted",
        1,
    ),
    "501": (
        {"type": "error", "error": {"code": 501, "message": "No speech."}},
        "upstream_rejected",
        1,
    ),
}
