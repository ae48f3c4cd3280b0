"""What audited acts, the things they touch and their actors are called in the viewer."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

#: The areas one can filter by: the beginning of an act's name.
AREA_WORDS: Mapping[str, object] = {
    "identity.": _("账号与登录"),
    "permission.": _("被拒绝的操作"),
    "patients.": _("患者档案"),
    "scheduling.": _("排班与号源"),
    "billing.": _("收费与退费"),
    "queueing.": _("候诊与叫号"),
    "clinical.": _("诊疗"),
    "journeys.": _("就诊流程"),
    "devices.": _("设备"),
    "kernel.": _("系统运行"),
    "wechat.": _("微信支付"),
    "alipay.": _("支付宝"),
    "organization.": _("机构与位置"),
}

ACTION_WORDS: Mapping[str, object] = {
    "billing.begin_reconciliation": _("开始对账"),
    "billing.cancel_charge": _("取消费用"),
    "billing.card_refund_approved": _("银行卡退款成功"),
    "billing.card_refund_created": _("登记银行卡退款"),
    "billing.card_refund_declined": _("银行拒绝退款"),
    "billing.card_refund_repeated": _("重发银行卡退款"),
    "billing.card_refund_sending": _("发送银行卡退款"),
    "billing.card_sale_approved": _("银行卡扣款成功"),
    "billing.card_sale_created": _("登记刷卡"),
    "billing.card_sale_declined": _("银行拒绝扣款"),
    "billing.card_sale_reversed": _("银行卡交易已冲正"),
    "billing.card_sale_reversing": _("银行卡交易待冲正"),
    "billing.card_sale_sending": _("发送银行卡扣款"),
    "billing.card_sale_withdrawn": _("刷卡未发送，已取消"),
    "billing.close_day": _("日结"),
    "billing.close_money_case": _("办结款项疑问"),
    "billing.close_payment": _("关闭付款单"),
    "billing.close_shift": _("班结"),
    "billing.end_invoice": _("结束账单"),
    "billing.expire_payment": _("付款单到期"),
    "billing.fail_reconciliation": _("没有取得账单"),
    "billing.match_bill": _("核对账单"),
    "billing.einvoice_asked": _("查询电子票据"),
    "billing.einvoice_created": _("登记电子票据"),
    "billing.einvoice_failed": _("电子票据开票失败"),
    "billing.einvoice_issued": _("电子票据已开票"),
    "billing.einvoice_red_lettered": _("电子票据已冲红"),
    "billing.einvoice_red_pending": _("电子票据待冲红"),
    "billing.einvoice_unknown": _("发送电子票据"),
    "billing.insurance_cancelled": _("医保结算已撤销"),
    "billing.insurance_cancelling": _("撤销医保结算"),
    "billing.insurance_created": _("申请医保结算"),
    "billing.insurance_estimated": _("医保预结算"),
    "billing.insurance_refused": _("医保不予支付"),
    "billing.insurance_reversed": _("医保结算已冲正"),
    "billing.insurance_reversing": _("医保结算待冲正"),
    "billing.insurance_settled": _("医保结算完成"),
    "billing.insurance_settling": _("发送医保结算"),
    "billing.name_refund": _("登记退款单号"),
    "billing.open_invoice": _("开立账单"),
    "billing.open_money_case": _("登记款项疑问"),
    "billing.pay_cash": _("收取现金"),
    "billing.pay_invoice": _("付清账单"),
    "billing.payment_closed": _("付款单已关闭"),
    "billing.payment_closing": _("付款单正在关闭"),
    "billing.payment_failed": _("付款失败"),
    "billing.payment_frozen": _("付款金额不符，已冻结"),
    "billing.payment_succeeded": _("付款成功"),
    "billing.payment_unknown": _("付款结果未明"),
    "billing.plan_reconciliation": _("安排对账"),
    "billing.raise_charge": _("产生费用"),
    "billing.refund_abnormal": _("退款异常"),
    "billing.refund_processing": _("退款处理中"),
    "billing.refund_succeeded": _("退款成功"),
    "billing.refund_unknown": _("退款结果未明"),
    "billing.request_reconciliation": _("要求重新对账"),
    "billing.request_refund": _("申请退款"),
    "billing.forget_card_key": _("作废银行终端密钥"),
    "billing.settle_card_batch": _("银行卡批结算"),
    "billing.sign_on_card_terminal": _("银行终端签到"),
    "billing.set_price": _("设定价格"),
    "billing.show_payment_code": _("出示付款码"),
    "billing.start_payment": _("发起付款"),
    "billing.start_qr_payment": _("发起扫码付款"),
    "billing.store_bill": _("取得渠道账单"),
    "billing.suspend_payment": _("冻结款项"),
    "billing.void_invoice": _("作废账单"),
    "clinical.add_diagnosis": _("添加诊断"),
    "clinical.add_drug": _("添加药品"),
    "clinical.add_icd_code": _("添加诊断编码"),
    "clinical.add_panel": _("添加检验项目"),
    "clinical.cancel_order": _("取消医嘱"),
    "clinical.finish_encounter": _("结束就诊"),
    "clinical.place_order": _("开立医嘱"),
    "clinical.read_encounter": _("查阅病历"),
    "clinical.read_past": _("查阅既往就诊"),
    "clinical.record_note": _("书写病历"),
    "clinical.remove_diagnosis": _("删除诊断"),
    "clinical.restore_order": _("恢复医嘱"),
    "clinical.start_encounter": _("开始接诊"),
    "devices.add_kiosk": _("添加自助机"),
    "devices.begin_session": _("患者在自助机登录"),
    "devices.enrol": _("自助机接入"),
    "devices.issue_code": _("发放接入码"),
    "devices.reinstate": _("恢复自助机"),
    "devices.report_print": _("报告打印结果"),
    "devices.request_print": _("请求打印"),
    "devices.revoke": _("停用自助机"),
    "identity.ask_code": _("密码正确，等动态口令"),
    "identity.begin_factor": _("开始绑定动态口令"),
    "identity.close_account": _("停用账号"),
    "identity.code_refused": _("动态口令被拒"),
    "identity.confirm_factor": _("绑定动态口令"),
    "identity.create_account": _("开通账号"),
    "identity.log_in": _("登录"),
    "identity.log_out": _("退出登录"),
    "identity.login_refused": _("登录被拒"),
    "identity.open_account": _("启用账号"),
    "identity.read_audit": _("查阅患者的审计记录"),
    "identity.remove_factor": _("停用动态口令"),
    "identity.renew_recovery_codes": _("更换恢复码"),
    "identity.reset_factor": _("重置他人的动态口令"),
    "identity.set_password": _("重设密码"),
    "identity.step_up": _("再次验证动态口令"),
    "identity.unlock_account": _("解除锁定"),
    "journeys.confirm_visits": _("付款后确认预约"),
    "journeys.end_bill": _("结束未付账单"),
    "journeys.void_bill": _("作废未付账单"),
    "kernel.discard_delivery": _("放弃未送达通知"),
    "kernel.restore_delivery": _("恢复已放弃的通知"),
    "kernel.retry_deliveries": _("重投全部未送达通知"),
    "kernel.retry_delivery": _("重投未送达通知"),
    "kernel.rotate_keys": _("更换加密密钥"),
    "organization.add_department": _("添加科室"),
    "organization.add_hospital": _("添加医院"),
    "organization.add_location": _("添加位置"),
    "organization.add_practitioner": _("添加人员"),
    "patients.add_identifier": _("登记卡号"),
    "patients.invalidate_identifier": _("卡号作废或挂失"),
    "patients.read": _("查阅患者档案"),
    "patients.register_patient": _("建立患者档案"),
    "patients.reveal_patient": _("显示完整个人信息"),
    "patients.update_contact": _("修改联系方式"),
    "permission.denied": _("没有权限，已拒绝"),
    "queueing.add_queue": _("添加队列"),
    "queueing.call": _("叫号"),
    "queueing.change_class": _("调整候诊级别"),
    "queueing.check_in": _("报到取号"),
    "queueing.finish_ticket": _("就诊完毕"),
    "queueing.leave_queue": _("离开队列"),
    "queueing.mark_printed": _("打印排队票"),
    "queueing.pass_over": _("过号"),
    "queueing.return_ticket": _("重新排队"),
    "queueing.start_serving": _("开始就诊"),
    "scheduling.add_template_entry": _("添加出诊模板"),
    "scheduling.attach_invoice": _("预约关联账单"),
    "scheduling.cancel_appointment": _("取消预约"),
    "scheduling.check_in": _("预约已报到"),
    "scheduling.confirm_appointment": _("确认预约"),
    "scheduling.end_hold": _("结束占号"),
    "scheduling.expire_hold": _("占号到期"),
    "scheduling.fulfil_appointment": _("预约已就诊"),
    "scheduling.generate_ahead": _("自动生成号源"),
    "scheduling.generate_schedules": _("生成号源"),
    "scheduling.hold_slot": _("占号"),
    "scheduling.mark_missed": _("标记未到诊"),
    "scheduling.release_hold": _("释放占号"),
    "scheduling.sweep": _("整理号源"),
    "scheduling.sweep_expired_holds": _("释放过期占号"),
    "wechat.refuse_notification": _("拒收支付通知"),
    "alipay.refuse_notification": _("拒收支付宝通知"),
    "wechat.unknown_refund": _("收到未知退款通知"),
}

ENTITY_WORDS: Mapping[str, object] = {
    "account": _("账号"),
    "appointment": _("预约"),
    "charge": _("费用"),
    "column": _("加密数据列"),
    "delivery": _("内部通知"),
    "department": _("科室"),
    "encounter": _("就诊"),
    "hospital": _("医院"),
    "invoice": _("账单"),
    "kiosk": _("自助机"),
    "location": _("位置"),
    "money_case": _("款项疑问"),
    "reconciliation_run": _("对账"),
    "cashier_shift": _("班结"),
    "day_close": _("日结"),
    "notification": _("支付通知"),
    "patient": _("患者"),
    "patient_identifier": _("患者卡号"),
    "payment": _("付款"),
    "practitioner": _("人员"),
    "print_job": _("打印"),
    "queue": _("队列"),
    "refund": _("退款"),
    "route": _("页面"),
    "schedule": _("班次"),
    "subscriber": _("通知接收方"),
    "ticket": _("排队票"),
}

ACTOR_KIND_WORDS: Mapping[str, object] = {
    "staff": _("职工"),
    "patient": _("患者"),
    "device": _("设备"),
    "system": _("系统"),
    "anonymous": _("未登录"),
}


def action_words(action: str) -> str:
    """The act in words; an act without words of its own is shown by its area and name."""
    if words := ACTION_WORDS.get(action):
        return str(words)
    area, _dot, name = action.partition(".")
    return f"{AREA_WORDS.get(area + '.', area)} · {name.replace('_', ' ')}"


def entity_words(entity: str) -> str:
    """The kind of thing in words."""
    return str(ENTITY_WORDS.get(entity, entity))


def actor_kind_words(kind: str) -> str:
    """The kind of actor in words."""
    return str(ACTOR_KIND_WORDS.get(kind, kind))


def value_words(value: object) -> str:
    """One value of a row's detail, without program notation."""
    if isinstance(value, bool):
        return str(_("是") if value else _("否"))
    if isinstance(value, list):
        return "、".join(value_words(each) for each in value) or "—"
    if isinstance(value, dict):
        return "，".join(f"{key} {value_words(each)}" for key, each in value.items()) or "—"
    return str(value)
