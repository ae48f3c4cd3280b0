"""Literal bytes of Alipay's wire for both sides, signed with OpenSSL's command line, not with our code.

The key is the one in `tests.unit.sandbox.vectors`. To make a signature again:
``printf '%s' '…' | openssl dgst -sha256 -sign key.pem | base64 -w0``.
"""

REQUEST = {
    "version": "1.0",
    "method": "alipay.trade.query",
    "timestamp": "2026-11-23 09:30:00",
    "app_id": "2021000000000001",
    "charset": "utf-8",
    "sign_type": "RSA2",
    "format": "",
    "biz_content": '{"out_trade_no":"XL20261123001"}',
}
REQUEST_MESSAGE = (
    b'app_id=2021000000000001&biz_content={"out_trade_no":"XL20261123001"}&charset=utf-8'
    b"&method=alipay.trade.query&sign_type=RSA2&timestamp=2026-11-23 09:30:00&version=1.0"
)
REQUEST_SIGNATURE = (
    "rsT1tB0o/vml6LPao6CYugpBGC6SyL08tHuUeAL3HQGKhmWzwahKsJmhFuPrxGAjtsloh2Jt2izFpamcSZojxricNWxp"
    "dFqFFQvYBD1v/NZd4aGHp1WRTBCB9gi/BBJtvikLkaMH5MBZiX7HM7XSn6MspF8UIK9kdeExxoEA5GOEZkUhagMrEkLH"
    "V6azal1Fk4NLgSu0on95ShxR++/xuE3cCU225M6k7m4Zy3lBqZAE8hGhhZZBx03dRg3FGcRffZjd7PBAZR/0D8o4UpRx"
    "YbWnsBoH9zRsGU4qgTalIrWR8+pD58pbNizSEnG74/BoBFVeiLDsm8aIhwO+rb/lcw=="
)
ANSWER_TEXT = (
    '{"code":"10000","msg":"Success","out_trade_no":"XL20261123001","total_amount":"25.00",'
    '"trade_no":"2026112322001400000000000001","trade_status":"WAIT_BUYER_PAY"}'
)
ANSWER_SIGNATURE = (
    "gMLaklU94ff/IEkAwatfVC/nBF5tuUaa77Tv6Q6SdFTJ4kyKfLg0KH7qYXbNgnBiH4MQg/uuOxrKu0Z4tU2HVvUWt6Wc"
    "YxcVApq6obX6h+PS/f4SyssFwWUI9yfrfD0wdFeRpK0OHgswJpvRLC4m8TR+GPzjOmdGNVmYrUWtsYGVe9o4Sd9vQU12"
    "2lOePIA40Cfnmz2GrTe/aD14C37B605cZd3UDWPg82Yd4Hvr/0I2Hs4GLnQy2kCwgCAjBd5OIAw1onWJYaSnfNjOMBtf"
    "4y2+XUYxEZmYY7JnZbDtcw3hxOB+xeFucwCbKIBOaVXE/+BiTPPHBUsjnOOxQdUqLg=="
)
NOTICE = {
    "trade_status": "TRADE_SUCCESS",
    "app_id": "2021000000000001",
    "subject": "门诊费用",
    "notify_time": "2026-11-23 09:30:01",
    "out_trade_no": "XL20261123001",
    "seller_id": "2088000000000001",
    "trade_no": "2026112322001400000000000001",
    "total_amount": "25.00",
    "sign_type": "RSA2",
}
NOTICE_SIGNATURE = (
    "rtquU/QG3WNK2Lzo+/INgba2zIUbz6KzTeL2I2onDl72OIEhTEKPpHGPgPi46zi+sKvbX5pxn7c83Q4Lr2d/MeAAvBn+"
    "Z/Fuk/JNyiCeTvXzvumTEqt3wOSK3Xu1lWVi++/w+UEmiMS+MY58CWglXQ/5N5bQC4/coYyhJYO5woHi30Zu+AwOmq5D"
    "6i6m6YTQNhXqrXGRPLgaf61blWISJIF8dungmBvHNDH+5ErQHgsjF0JGitqTRMdPlMG6warYPtc3UPqAzWsQZBjnqP83"
    "QzUtPQlOFvfauyPMZiIpuPZkWuy3Xq9cjCcuQqDNlR9Q8/C9CmYBcqrOQQofzjtIIg=="
)
