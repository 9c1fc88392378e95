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
    "Deepgram": {"err_code": "Bad Request", "err_msg": REASON, "request_id": "x"},
    "WeChat": {"errcode": 45009, "errmsg": REASON},
    "Tencent": {"Response": {"Error": {"Code": "x", "Message": REASON}, "RequestId": "y"}},
    "iFlytek": {"header": {"code": 10013, "message": REASON, "sid": "x"}},
    "capitals": {"StatusCode": 400, "ErrorMessage": REASON},
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
    "Pollinations": {"error": "400 Bad Request", "details": {"error": {"message": REASON}}},
    "JSON in details": {"error": "No.", "details": json.dumps({"error": {"message": REASON}})},
    "the same in details": {"error": REASON, "details": {"message": REASON}},
}

ISSUES = [{"code": "invalid_value", "path": ["voice"], "message": REASON}]
EVENT = f'data:{{"code":"InvalidParameter","message":"{REASON}"}}'
TEXTS = [
    *(
        (f"{before}{EVENT}\n\n", f": {REASON}")
        for before in ("", "event:error\n:x/400\n", "id: 1\n", "\ufeff:x\n\n", "data: ")
    ),
    (json.dumps({"error": {"name": "ZodError", "issues": ISSUES}}), f": voice: {REASON}"),
    (json.dumps({"error": {"message": json.dumps([{"error": ISSUES[0]}])}}), f": voice: {REASON}"),
    (REASON, True),
    (f" {REASON}\n", True),
    ("404 page not found", True),
    (f"<html>{REASON}</html>", False),
    (f"\n <html>{REASON}</html>", False),
    (f"<model> {REASON}", True),
    (f'{{"error": "<html>{REASON}</html>"}}', False),
    (f'{{"error": {{"message": "{REASON}', False),
    (f"{REASON}\0", False),
    (" null\n", False),
    ("OK", False),
    ('{"base_resp": {"status_code": 0, "status_msg": "Success."}}', False),
]
"""Bodies that are no JSON, and whether they are told, or what is."""

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
NO_ACCESS = "Project `proj_1` does not have access to model `gpt-4o`"
NO_QUOTA, LIMITED = ("quota_exhausted", 1, 500), ("rate_limited", 3, 500)
WAITING = ("rate_limited", 1, 500)  # For longer than a conversation takes.
DOWN, REFUSED = ("upstream_unavailable", 3, 500), ("upstream_rejected", 1, 400)
STATUSES = [
    (429, {"message": "Slow down."}, {}, *LIMITED),
    (429, {"message": "Slow down.", "type": "budget_exceeded"}, {}, *NO_QUOTA),
    (400, {"message": "Budget was exceeded!", "type": "budget_exceeded"}, {}, *NO_QUOTA),
    (429, {"message": "x", "type": "insufficient_quota"}, {}, *NO_QUOTA),
    (429, {"message": "x", "code": "INSUFFICIENT_QUOTA"}, {}, *NO_QUOTA),
    (402, {"message": NO_MONEY, "code": 402}, {}, *NO_QUOTA),
    (402, {"message": NO_MONEY}, {"Retry_After": "1"}, *NO_QUOTA),
    (429, {"message": NO_MONEY}, {}, *NO_QUOTA),
    (429, {"message": "You exceeded your current quota, check your plan."}, {}, *NO_QUOTA),
    (429, {"message": "Max budget limit reached."}, {}, *NO_QUOTA),
    (429, {"message": NO_MONEY}, {"x_should_retry": "true"}, *NO_QUOTA),
    (429, {"message": NO_MONEY}, {"Retry_After": "0"}, *LIMITED),
    (429, {"message": NO_MONEY}, {"retry_after_ms": "1"}, *LIMITED),
    (429, {"message": "Quota exceeded. Please retry in 0.01s."}, {}, *LIMITED),
    (429, {"message": "Out of quota; try again in 40s"}, {}, *WAITING),
    (429, {"message": NO_MONEY}, {"X_RateLimit_Reset": "2000000000000"}, *WAITING),
    (503, {"message": "Slow down."}, {"X_RateLimit_Reset": "2000000000000"}, *DOWN),
    (429, {"message": "Your budget resets at midnight."}, {}, *LIMITED),
    (429, {"message": "Quota exceeded.", "details": [{"retryDelay": "40s"}]}, {}, *WAITING),
    (429, {"message": "Quota exceeded.", "retry_after_milliseconds": 9}, {}, *LIMITED),
    (429, {"message": "Slow down.", "details": [{"description": "About quotas."}]}, {}, *LIMITED),
    (429, {"message": "Credits refresh in 3 hours."}, {}, *WAITING),
    (429, {"message": "Out of quota. Come back in one hour."}, {}, *WAITING),
    (429, {"message": "Quota exceeded. Please retry shortly."}, {}, *LIMITED),
    (429, {"message": "Quota: 50 requests a day. Try again later."}, {}, *NO_QUOTA),
    (429, {"message": "Your spending limit is reached."}, {}, *NO_QUOTA),
    (429, {"message": "Quota of tokens per min is exceeded."}, {}, *LIMITED),
    (429, {"message": "Requests per second.", "code": "request_quota_exceeded"}, {}, *LIMITED),
    (429, {"message": "Your account is not active.", "code": "billing_not_active"}, {}, *NO_QUOTA),
    (429, {"message": "No credentials were used."}, {}, *LIMITED),
    (429, {"message": "Insufficient balance. Recharge.", "code": "1113"}, {}, *NO_QUOTA),
    (429, {"message": "Your paid balance is too low.", "isRetryable": True}, {}, *NO_QUOTA),
    (429, {"message": "余额不足或无可用资源包,请充值。"}, {}, *NO_QUOTA),
    (429, {"message": "您的额度已于 11 月 30 日用完。"}, {"X_RateLimit_Reset": "0"}, *NO_QUOTA),
    (429, {"message": "您的额度已于11月30日用完。"}, {}, *NO_QUOTA),
    (429, {"message": "您的额度已用完,请 30 秒后重试。"}, {}, *WAITING),
    (429, {"message": "free-models-per-day-high-balance."}, {}, *LIMITED),
    (429, {"message": "The load balancer is busy."}, {}, *LIMITED),
    (501, {"message": "Speech is not implemented."}, {}, *REFUSED),
    (501, {"message": "Not implemented."}, {"x_should_retry": "true"}, *REFUSED),
    (500, {"message": "CUDA out of memory. Tried to allocate 2.00 GiB."}, {}, *DOWN),
    (500, {"message": "Perhaps."}, {"x_should_retry": "perhaps"}, *DOWN),
    (429, {"message": "Slow down."}, {"x_should_retry": "false"}, "rate_limited", 1, 500),
    (400, {"message": "x", "code": "insufficient_quota"}, {}, *REFUSED),
    (499, {"message": "You have left."}, {}, *REFUSED),
    (401, {"message": "No.", "code": "model_not_found"}, {}, "api_key_rejected", 1, 401),
    (403, {"message": NO_ACCESS}, {}, "api_key_rejected", 1, 401),
    (503, {"message": "The model is loading."}, {}, *DOWN),
    (408, {"message": "You sent too slowly."}, {}, "upstream_timeout", 3, 500),
    (409, {"message": "It is locked."}, {}, "upstream_rejected", 3, 400),
    (400, {"message": "Do it again."}, {"x_should_retry": "true"}, "upstream_rejected", 3, 400),
    (429, {"message": "x", "code": "credit_balance_exhausted"}, {"Retry_After": "1"}, *NO_QUOTA),
    (504, {"message": "The gateway waited too long."}, {}, "upstream_timeout", 3, 500),
    (401, {"message": "The token has expired."}, {}, "api_key_rejected", 1, 401),
    (403, {"message": "Your plan has no speech."}, {}, "api_key_rejected", 1, 401),
    (422, {"message": "The voice is not one of these."}, {}, *REFUSED),
]

ADDRESSES = [
    "Connection to 10.0.0.7 refused",
    "Could not reach http://vllm:8000/v1",
    "redis.internal does not answer",
    "FileNotFoundError: /models/kokoro/af_heart.pt",
    "HTTPConnectionPool(host='vllm', port=8000): Max retries exceeded",
    "connect to vllm:8000 failed",
    *(
        f"connect to {host} failed"
        for host in ("fd00::1", "FD00::1", "::1", "[fe80:1:2:3:4:5:6:7]", "gpu-1:80", "Localhost")
    ),
    "C:\\models\\kokoro was not found",
    "getaddrinfo ENOTFOUND vllm",
    *(f"cannot reach {where}vllm" for where in ("Host: ", "HOST=", "hostname=", "server at ")),
]
NO_ADDRESSES = [
    "litellm.InternalServerError: OpenAIException - Connection error.",
    "Busy until 10:30:45 at 1:1000 of it, status:500",
    "ggml.c:1234: c10::Error in std::bad_alloc",
    "torch.OutOfMemoryError: CUDA out of memory. Tried 2.5 GiB and/or more",
    "The model Qwen/Qwen2.5-7B is loading (e.g. for 20 s)",
]
# What an error without a status is named, and whether that blames the request.
BLAMES = [
    ("invalid_request_error", True),
    ("INVALID_ARGUMENT", True),
    ("bad_request", True),
    ("BadRequestError", True),
    ("no_such_name", False),
]


def told(**error: object) -> dict[str, object]:
    """An event of the Realtime API that tells of an error."""
    return {"type": "error", "error": {"message": REASON} | error}


def ended(**details: object) -> dict[str, object]:
    """The end of a response that was not completed."""
    return {"type": "response.done", "response": {"status": "x", "status_details": details}}


# What a Realtime session sends when it is asked to speak, with REASON.
SESSIONS = {
    "OpenAI's": (told(type="server_error"), "upstream_unavailable", 3),
    "a code": (told(code=429), "rate_limited", 3),
    "a code as a text": (told(code="503"), "upstream_unavailable", 3),
    "501": (told(code=501), "upstream_rejected", 1),
    "a text": ({"type": "error", "error": REASON}, "upstream_malformed", 1),
    "a field of the request": (
        told(type="invalid_request_error", message=f"'session.tools[3].name': {REASON}"),
        "upstream_malformed",
        1,
    ),
    "an expired session": (
        told(type="invalid_request_error", code="session_expired"),
        "upstream_unavailable",
        3,
    ),
    "flat": ({"type": "error", "code": 400, "message": REASON}, "upstream_rejected", 1),
    "detail": ({"type": "error", "detail": REASON}, "upstream_malformed", 1),
    "without a type": ({"error": {"message": REASON}}, "upstream_malformed", 1),
    "a failed response": (ended(error={"code": 402, "message": REASON}), "quota_exhausted", 1),
    "an incomplete response": (ended(type="incomplete", reason=REASON), "upstream_malformed", 1),
    "a cancelled response": (ended(reason=REASON, error=None), "upstream_malformed", 1),
}
# The code and the reason of a close frame, and what becomes of it.
CLOSES = [
    (1000, REASON, "upstream_unavailable", 3),
    (1007, REASON, "upstream_malformed", 1),
    (1008, REASON, "upstream_malformed", 1),
    (1008, "", "upstream_malformed", 1),
    (1011, REASON, "upstream_unavailable", 3),
    (4000, REASON, "upstream_unavailable", 3),
]
