"""The words that payloads are full of: a preset dictionary for deflate (RFC 1950, section 2.2).

Never edit ``WORDS_1``: every stored history that was written with it would become unreadable, which
a test says. When the vocabulary has moved on, add ``WORDS_2`` and a new form in the codec.
Frequent words stand last, where deflate reaches them with the shortest distance.
"""

WORDS_1 = (
    b'"clocks":{"warehouse":172800,"hand_over":172800,"first_scan":259200,"next_scan":604800,'
    b'"lost_after":1209600,"escalate_again":86400,"provider_patience":72000,"look_again":3600},'
    b'"terms":{"policy_version":1,"grace":1800,"review_sla":86400,"review_expiry":"reject",'
    b'"hold_deadline":259200,"action_deadline":259200,"expiry_margin":21600,"reverse_after":432000,'
    b'"authorise_ahead":86400,"capture_at_order":false,"backorder_deadline":2592000,'
    b'"return_window":2592000,"ship_back":1814400,"inspect_within":432000,"refund_shipping":false,'
    b'"return_label":true,"automatic_returns":true,"lost_parcel":"refund","transit_days":5,'
    b'"service":"TestPost/Express","payment":{"form":"method","provider":"stripe","amount":'
    b'"form":"authorised","form":"captured","release_on":"problems":[["reasons":["vendor":"'
    b'"backordered":[{"left_out":[["bars":[{"single_parcel":true,"waits_until":"components":[["'
    b'"resolution":"exchange","store_credit","return_id":"R1","location":"warehouse","purpose":"'
    b'"label_url":"tracking_url":"https://track.easypost.com/","cost":"grams":"weight_grams":'
    b'"length_mm":300,"width_mm":200,"height_mm":100,"parcel":{"ship_by":"2026-expected_on":"2026-'
    b'"carrier":"USPS","service":"Priority","carrier":"UPS","service":"Ground","label_id":"shp_'
    b'"tracking_number":"9400100000000000000000","state":"in_transit","out_for_delivery"'
    b'"handed_over_at":"delivered_at":"signed_by":"ended_at":"return_until":"cancel_reason":"'
    b'"outcome":"cancelled","partly_cancelled","too_late","requested","cancelled":[{"refunded":'
    b'"may_return":true,"actor":"customer","reason":"customer changed mind","actor":"operator:"'
    b'"actor":"storefront","actor":"warehouse","actor":"carrier","hold_id":"kind":"grace"'
    b'"fraud_review","address","schedule","preorder","backorder","placed_by":"waybill","placed_at":'
    b'"on_expiry":"release","escalate","grade":"accept","review","score":"returnable":false,'
    b'"money":{"currency":"USD","due":"authorised":"captured":"fees":"grace_until":"promise":"2026-'
    b'"status":"processing","status":"delivered","status":"completed","status":"on_hold",'
    b'"units":{"open":"reserved":"released":"packed":"shipped":"delivered":"shipments":['
    b'"shipment_id":"S1","subject":"S1","template":"order_shipped","deadline":"changed_at":"at":'
    b'"multi_capture":true,"capturable":"customer":"cus_","method":"pm_","reference":"pi_3'
    b'"final":true,"expires_at":"2026-01-01T00:00:00Z","total":"collect":"shipping":"channel":"shop"'
    b'"currency":"EUR","amount":"lines":[{"line_id":"1","sku":"quantity":1},{"line_id":"2",'
    b'"quantity":1}],"location":"{"order_id":"shop-","n":1}true,false}'
    b"\n\x16\n\x08encoding\x12\njson/plain\x12"
)
