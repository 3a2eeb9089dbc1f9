def migrate(cr, version):
    """In the first release each case had one event, and the case had what that event said."""
    cr.execute(
        """
        UPDATE warehouse_exception_event e
           SET document_code = c.document_code,
               operator_badge = c.operator_badge,
               is_expected_known = c.expected_source = 'event',
               quantity_expected = CASE WHEN c.expected_source = 'event' THEN c.quantity_expected ELSE 0 END,
               is_counted = c.is_counted,
               quantity_counted = c.quantity_counted,
               unit_code = c.unit_code,
               reason_code = c.reason_code,
               picking_id = c.picking_id
          FROM warehouse_exception_case c
         WHERE c.id = e.case_id AND e.is_counted IS NULL
        """
    )
    cr.execute(
        """
        UPDATE warehouse_exception_scan s SET event_id = e.id
          FROM warehouse_exception_event e
         WHERE e.case_id = s.case_id AND s.event_id IS NULL
        """
    )
