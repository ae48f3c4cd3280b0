"""Literal bytes for both sides of the wire, made with OpenSSL's command line, not with our code.

The key serves tests alone. To make a signature again:
``printf '…' | openssl dgst -sha256 -sign key.pem | base64 -w0``.
"""

PRIVATE_KEY = """-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDLnYbuM0L/6AUZ
Kiztd4HF3Oi7XTjKQUZXAGDPBIJSSWteKdbuEED+vrCoh4X9Esjq4soLFgz/+fY7
1xCEgLBVO2HVuNoA1FfZAw41vS3DphhyV/A4PJQmcwuW3VuPNsuBnum7tOymugUH
16mftmv5MNs0aGCuLVCMoACSfb7VDuMTUbzYvK2DKOjegGXx8tglu28WdejOP8yD
25SUMRHLORz5HqJ0ivYMjhz0r3V4GSbRoZVXVRzx2k6YrrjMJ+0/8602UMRfrwWY
mdzXGUARwDDTpwS/5ISpB71aPKK4Kjd4T44PSXSqGTsgbZzDx3A2xQ9pAuP4RHbF
rQGIUudvAgMBAAECggEASgam4CH16VjexaPeOqVYomlqmXfOZkXt/0Jtb8YpZSY5
KT5X3Cw/nP4R9utyjKwQLMkwAHDPYB7t5RqO8EVjFlGlA5EVfPi2SXkBaQsywK85
sxSCiseHayUnYP1wRLR8r07plis0YHc/zfabviuRvMKE51xNTfW+k6m2G4wo3YdK
hEq9zoT53o6FJQsz4cMwdsbDQlqmUL7WnSUWANP+o1ZAIyWfN7LPC6ANBjyIV7KF
SDQnTDxRhBdNOkwJQXHbIa2THpNDDffl4Rlb9TO6tbTCJ81MzWFzS1KQacmkkhvb
YcHYr9izmYvDwAzNh4dS0Q9t5wcK7X/iauwTqTnW2QKBgQDnHEyq6TZUAYOETgFN
1gw3sK/jlA8YPRKNxXXeyKXSpxD7TpkVB07rJKibOC2I+6PC66W1WtQfdX/c8TSZ
Y36pqzSfy6I5xt6KGIFibuUOddHr04sc6EoZivinbp8/80giXgyutEkKqv3sEJoU
zyGQXhWUo/K6LRALE/hAkZdClwKBgQDhiy/U200I/62ojy6ST2MSFvcZHPcdX8cq
JaM0KmJdY2uuc0WBxAFrOsQ9npmb27FGJnd7scq3Et4Jhj3xbbs3iqkX2Q3mwQfs
wwkhFrTAMUsjxH04q4AWaVc1uEcZfA8MLv1usvH6x3lUUVr+rrLRT4KFMTdb7Sit
kd2C8xiU6QKBgD5N/s1EugTDs7UDYo6dWgXZeFGeJMOgE1RtG23IIgw8RfO6KMLm
iXwTEfFmn8ACNw/hf3b42Z7xilsCG/AORqNvKGy79SwmVPBd0uO6ib3wPXuaODK+
3NsuAAMDa6NN7vB08m5W5CogFvyBLUjW3nGRK7g6ysEuTNjvtUmS9nhZAoGBAMms
dJuncI2wWa7UQPdw5wxg3phlDw4D+4nTV8iocYZCBSJbTnaHNiGUza6vp3j3C9/H
O6WuR65Fv6bSk4bS8MnsQeDiJA0G47gweXRN4lfMe/zCkJnguErR7LpLScAe7zGc
vt6CQd9VCEd965i5y4lfyDyi0nZvbKUvPdv+1ScpAoGAJ1kHSKZBf2MqibjN3aDE
h9qL+IvcOenx0iLptWLmHNoweAh9aoVHQGK/cTxhnjJeKcRa06ai6BK5MjcMGMDu
xZ8tmEWSEX/bjz/6vziaEVWj1nA95qdZu4H518Jn6g/u5SxJNx1/4JpO7zqZqo4k
FHCZjAJlEko0VVivsvCDXtE=
-----END PRIVATE KEY-----
"""

PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAy52G7jNC/+gFGSos7XeB
xdzou104ykFGVwBgzwSCUklrXinW7hBA/r6wqIeF/RLI6uLKCxYM//n2O9cQhICw
VTth1bjaANRX2QMONb0tw6YYclfwODyUJnMLlt1bjzbLgZ7pu7TsproFB9epn7Zr
+TDbNGhgri1QjKAAkn2+1Q7jE1G82Lytgyjo3oBl8fLYJbtvFnXozj/Mg9uUlDER
yzkc+R6idIr2DI4c9K91eBkm0aGVV1Uc8dpOmK64zCftP/OtNlDEX68FmJnc1xlA
EcAw06cEv+SEqQe9WjyiuCo3eE+OD0l0qhk7IG2cw8dwNsUPaQLj+ER2xa0BiFLn
bwIDAQAB
-----END PUBLIC KEY-----
"""

# A request: GET of one refund, with no body. The message ends with an empty line.
REQUEST_MESSAGE = (
    b"GET\n/v3/refund/domestic/refunds/123123123123\n1554208460\n"
    b"593BEC0C930BF1AFEB40B4A08C8FB242\n\n"
)
REQUEST_SIGNATURE = (
    "W+TId/0zbE2xEeyJRK2jyvsnIBv9ty2/if/YAsS90QqC2Uwn/ZCuITSovJiHrhQeJwmiRgN9ueMxyqbwc+Qy0l"
    "D//3XEAAUb8e3Lq6H/v52QL2x0w2THU4L+5J5+L6pStAk/c+QVhaNtKt6yRcyQykGT+dBFQSSNNjvBUYaipCv/"
    "wdKgAo0oqy2809WG9zL0F79NkOeeyH267Hbv8IxhxGg03RvbeYLf06F8cfN6PA6c261FH5hsb4K5ghncruesDB"
    "nnZy01YsM9at0G+wYiWBTjlDTeJkSp2msJTEkQs3fUS1mmSCp9uYEckH/U5s2kJ/e0t+MQAILtJw1pNd84rA=="
)

# An answer: the platform's code_url.
ANSWER_BODY = b'{"code_url":"weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}'
ANSWER_TIMESTAMP = "1554209980"
ANSWER_NONCE = "c5ac7061fccab6bf3e254dcf98995b8c"
ANSWER_SIGNATURE = (
    "UTrGTzZxZL1K3D9+qLLHX+2vtJPmxd09HxPF6oNvJ0DmePw1p14XlaLGhHJ3OHy8DNctAwSifupCmuCmt4YPRE"
    "ZQn/3CgwBYtyTJgUCGjoxuBS1KjBhjTpaaRCE9NA6Ufg7rc9LqQ+A/iRSOIcDVYtdch+trRL11su5jwpQsDaIg"
    "dYGeWr3It4ifKZamWl0GV6LXazx4ubjg8qVnfEMv0N0qZhr0VccDa3tHEAG58CKXDS9ZVLFedS1xqn6FU752XN"
    "b/8s2VYNjeQyo/uXeS+Q0HMlP2K6Dr5VoF4CDhbcI5jCfW5hkbkcp57JwjHFzP2dmzt9LP6emnzKkms9Rb5A=="
)

# AES-256-GCM, test case 14 of the GCM specification (McGrew and Viega): zero key and nonce.
GCM_KEY = "\0" * 32
GCM_NONCE = "\0" * 12
GCM_PLAIN = bytes(16)
GCM_SEALED = bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
