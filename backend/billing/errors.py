"""What can go wrong with money, in words for the person at the kiosk or the counter."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from backend.kernel.errors import Conflict, InvalidInput, NotFound


class PriceUnknown(NotFound):
    """The price list has no such item, or no price for it on this day."""

    code = "price_unknown"
    default_message = _("价目表中没有这个项目今天的价格")
    default_next_step = _("请联系物价管理人员维护价目")


class PriceCodeTaken(Conflict):
    """Another item of the price list, perhaps a switched-off one, has this code."""

    code = "price_code_taken"
    default_message = _("这个编码已经有项目使用")
    default_next_step = _("请换一个编码，或在列表里找到原项目修改")


class PriceInForce(Conflict):
    """The price holds since its day: the past of the price list is never rewritten."""

    code = "price_in_force"
    default_message = _("这个价格已经生效，不能取消")
    default_next_step = _("如需改回，请登记一次新的调价")


class FirstPrice(Conflict):
    """An item's only price cannot be taken away."""

    code = "first_price"
    default_message = _("这是该项目的第一个价格，不能取消")
    default_next_step = _("如不再使用，请停用这个项目")


class ImportChanged(Conflict):
    """Somebody changed the price list between the preview of an import and its confirmation."""

    code = "import_changed"
    default_message = _("预览之后价目表有了变化，没有导入")
    default_next_step = _("请核对新的预览后再确认")


class InvoiceUnknown(NotFound):
    """No such bill, or not this patient's."""

    code = "invoice_unknown"
    default_message = _("没有找到这张账单")
    default_next_step = _("请返回重新查询待缴费用")


class PaymentUnknown(NotFound):
    """No such payment (for a notification: the platform speaks of an order that is not ours)."""

    code = "payment_unknown"
    default_message = _("没有找到这笔支付")
    default_next_step = _("请返回重新查询，或到人工窗口核对")


class RefundUnknown(NotFound):
    """No such refund."""

    code = "refund_unknown"
    default_message = _("没有找到这笔退款")
    default_next_step = _("请返回重新查询，或到人工窗口核对")


class CaseUnknown(NotFound):
    """No such money case."""

    code = "money_case_unknown"
    default_message = _("没有找到这条资金差错记录")


class RunUnknown(NotFound):
    """No such reconciliation run, or no such difference in it."""

    code = "reconciliation_unknown"
    default_message = _("没有找到这次对账")
    default_next_step = _("请返回对账列表重新选择")


class ShiftUnknown(NotFound):
    """No such closed shift."""

    code = "shift_unknown"
    default_message = _("没有找到这次班结")
    default_next_step = _("请返回班结列表重新选择")


class NothingToClose(Conflict):
    """The cashier moved no money since the last close."""

    code = "nothing_to_close"
    default_message = _("上次班结以后没有收退款，不需要班结")


class ShiftMoved(Conflict):
    """Money moved between looking at the sums and closing them."""

    code = "shift_moved"
    default_message = _("核对期间又有收退款，数字已经变化，没有班结")
    default_next_step = _("请按最新数字重新清点后再班结")


class CountUnexplained(InvalidInput):
    """The drawer holds another sum than it should, and nobody said why."""

    code = "count_unexplained"
    default_next_step = _("请再清点一次；确有长短款的，写明原因后再班结")


class DayNotOver(Conflict):
    """Money may still be dated to that day."""

    code = "day_not_over"
    default_message = _("这一天还没有结束，不能日结")
    default_next_step = _("请在次日 0:10 以后日结")


class DayClosedAlready(Conflict):
    """A closed day stays as it is."""

    code = "day_closed"
    default_message = _("这一天已经日结")


class LedgerDisagrees(Conflict):
    """The documents of a day are not what was posted: a fault, never closed over."""

    code = "ledger_disagrees"
    default_message = _("当日收退款与总账不一致，没有日结")
    default_next_step = _("请联系信息科运行总账核对")


class IllegalMove(Conflict):
    """A charge, bill, payment or refund cannot go from its state to the one asked for."""

    code = "illegal_move"
    default_message = _("当前状态下不能进行这一步")


class ChargeNotPending(Conflict):
    """A charge is already on a bill, paid or cancelled."""

    code = "charge_not_pending"
    default_message = _("所选费用已在其他账单中或已处理")
    default_next_step = _("请刷新待缴费用后重新选择")


class InvoiceNotOpen(Conflict):
    """A bill was paid or has ended already."""

    code = "invoice_not_open"
    default_message = _("这张账单已支付或已失效，不需要再付款")
    default_next_step = _("请返回查看最新的缴费情况")


class InvoiceExpired(Conflict):
    """The time to pay a bill has run out."""

    code = "invoice_expired"
    default_message = _("这张账单的支付时间已过")
    default_next_step = _("没有扣款。请重新预约后再支付")


class AmountDiffers(Conflict):
    """The amount shown to the payer is not what is due now; ``due_fen`` says what is."""

    code = "amount_differs"
    default_message = _("应付金额已经变化，没有扣款")
    default_next_step = _("请核对新的金额后再支付")


class PaymentInFlight(Conflict):
    """A QR payment of the same bill is still open: taking cash now could take the money twice."""

    code = "payment_in_flight"
    default_message = _("这张账单还有一笔扫码支付没有结束")
    default_next_step = _("请先取消扫码支付，确认关闭后再收现金")


class CardNumberInvalid(InvalidInput):
    """What was swiped or typed is no card number."""

    code = "card_number_invalid"
    default_message = _("没有读到有效的银行卡号，没有扣款")
    default_next_step = _("请重新刷卡，或核对后手工输入卡号")


class CredentialInvalid(InvalidInput):
    """What was scanned is no insurance credential."""

    code = "insurance_credential_invalid"
    default_message = _("没有读到有效的医保电子凭证或社保卡，没有结算")
    default_next_step = _("请重新扫码或读卡")


class CashTooLittle(InvalidInput):
    """The cash handed over is less than what is due."""

    code = "cash_too_little"
    default_message = _("收到的现金少于应付金额")
    default_next_step = _("请核对收到的现金")


class RefundTooMuch(Conflict):
    """More than was paid or is left after earlier refunds; ``refundable_fen`` says what is left."""

    code = "refund_too_much"
    default_message = _("退款金额超过可退金额")
    default_next_step = _("请核对可退金额后重新提交")


class InsuranceWholeOnly(Conflict):
    """A bill that the insurance paid a part of is refunded whole: its settlement is cancelled as one."""

    code = "insurance_whole_only"
    default_message = _("这张账单有医保结算，不能只退一部分")
    default_next_step = _("请整单退费（撤销医保结算），再为保留的项目重新收费")


class ChargeExecuted(Conflict):
    """A drug was dispensed or a test was done: its money stays until that is reversed."""

    code = "charge_executed"
    default_message = _("项目已执行或药品已发出，不能直接退费")
    default_next_step = _("请先由开单医生办理退药或撤销执行并写明原因，再来退费")


class AccountUnknown(NotFound):
    """No such prepaid account, or not this patient's."""

    code = "account_unknown"
    default_message = _("没有找到这个预交金账户")
    default_next_step = _("请先为患者开立预交金账户")


class AccountNotOpen(Conflict):
    """A prepaid account is frozen or closed: nothing goes out of it."""

    code = "account_not_open"
    default_message = _("预交金账户已冻结或已关闭")
    default_next_step = _("请解除冻结后再试，或改用其他支付方式")


class BalanceTooLow(Conflict):
    """A prepaid account holds less than is wanted; ``balance_fen`` says what it holds."""

    code = "balance_too_low"
    default_message = _("预交金账户余额不足")
    default_next_step = _("请先充值，或用余额支付一部分、其余用其他方式支付")


class BalanceLeft(Conflict):
    """An account with money on it, or on its way to it, cannot be closed."""

    code = "balance_left"
    default_message = _("账户还有余额或未完成的充值，不能关闭")
    default_next_step = _("请先退回余额，并取消未完成的充值")
